#include <hdf5_hl.h>

#include "io/hdf5_types.hpp"

namespace qheat::hdf5 {

void File::make_scale(const std::string& name) {
  const Id scale = dataset(name);
  const std::string own = name.substr(name.rfind('/') + 1);
  require(H5DSset_scale(scale.get(), own.c_str()) >= 0, "make a dimension scale of " + name);
}

bool File::is_scale(const std::string& name) const {
  return H5DSis_scale(dataset(name).get()) > 0;
}

void File::attach_scale(const std::string& name, unsigned axis, const std::string& scale) {
  const Id data = dataset(name);
  const Id values = dataset(scale);
  require(H5DSattach_scale(data.get(), values.get(), axis) >= 0, "give " + name + " its dimension " + scale);
}

}  // namespace qheat::hdf5
