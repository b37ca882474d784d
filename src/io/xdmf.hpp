#pragma once

#include <filesystem>

namespace qheat {

/// The XDMF file that belongs to a results file: a.xdmf beside a.h5.
std::filesystem::path xdmf_file(const std::filesystem::path& results);

/// Writes it for the temperatures of [heat] that the results file holds: cells of a block at all output
/// times, which stay in the results file. ParaView and VTK open it. Throws Error.
void write_xdmf(const std::filesystem::path& results);

}  // namespace qheat
