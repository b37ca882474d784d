#pragma once

// What the sources of hdf5::File share.

#include <algorithm>
#include <string>
#include <vector>

#include "io/hdf5_file.hpp"

namespace qheat::hdf5 {

inline void require(bool ok, const std::string& what) {
  if (!ok) throw Error("HDF5 cannot " + what);
}

inline Id space_of(const std::vector<Index>& shape) {
  if (shape.empty()) return {H5Screate(H5S_SCALAR), H5Sclose, "describe a scalar"};
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose,
          "describe a shape"};
}

inline Id text_type(std::size_t length) {
  Id type(H5Tcopy(H5T_C_S1), H5Tclose, "make a text type");
  H5Tset_size(type.get(), std::max<std::size_t>(1, length));
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  return type;
}

}  // namespace qheat::hdf5
