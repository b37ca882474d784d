#pragma once

#include <string>

#include "io/hdf5_file.hpp"

namespace qheat::app {

/// Opens a file that a user names. Throws InputError if it is not there, or no HDF5.
hdf5::File open_for_reading(const std::string& name);

}  // namespace qheat::app
