#include "app/results_input.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "qheat/parallel/error.hpp"

namespace qheat::app {

hdf5::File open_for_reading(const std::string& name) {
  hdf5::prepare();
  if (!std::filesystem::exists(name)) throw InputError(fmt::format("there is no file {}", name));
  try {
    return hdf5::File::open(name);
  } catch (const Error&) {
    throw InputError(fmt::format("{} is no HDF5 file, or it is cut off", name));
  }
}

}  // namespace qheat::app
