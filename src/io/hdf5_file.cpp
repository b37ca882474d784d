#include "io/hdf5_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <numeric>

#include "io/hdf5_types.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::hdf5 {
namespace {

constexpr Index kChunkElements = 1 << 16;
constexpr unsigned kInOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;  // netCDF-4 wants it

Index count_of(const std::vector<Index>& shape) {
  return std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>());
}

/// Whole trailing axes up to about kChunkElements.
std::vector<Index> chunk_of(const std::vector<Index>& shape) {
  std::vector<Index> chunk(shape.size(), 1);
  Index elements = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    chunk[axis] = std::clamp<Index>(kChunkElements / elements, 1, std::max<Index>(1, shape[axis]));
    elements *= chunk[axis];
  }
  return chunk;
}

Id access() {
  Id list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "make a property list");
  H5Pset_fclose_degree(list.get(), H5F_CLOSE_STRONG);
  return list;
}

/// Files of many groups are written at random places: their structure stays in memory as far as HDF5 allows.
void keep_in_memory(const Id& access_list) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  H5AC_cache_config_t cache;
  cache.version = H5AC__CURR_CACHE_CONFIG_VERSION;
  H5Pget_mdc_config(access_list.get(), &cache);
  cache.max_size = kBytes;
  H5Pset_mdc_config(access_list.get(), &cache);
}

}  // namespace

void prepare() {
  H5dont_atexit();  // must come before all other calls, and before MPI starts
  H5open();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

File File::create(const std::filesystem::path& path, bool checksummed) {
  prepare();
  const Id list = access();
  keep_in_memory(list);
  // From 1.8 (of 2008) on attributes may have more than 64 KB.
  H5Pset_libver_bounds(list.get(), checksummed ? H5F_LIBVER_LATEST : H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  const Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "make a property list");
  H5Pset_link_creation_order(creation.get(), kInOrder);
  H5Pset_attr_creation_order(creation.get(), kInOrder);
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), list.get());
  require(id >= 0, fmt::format("create {}: {}", path.string(), std::strerror(errno)));
  return File(Id(id, H5Fclose, "create a file"));
}

File File::open(const std::filesystem::path& path) {
  prepare();
  const Id list = access();
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, list.get());
  require(id >= 0, fmt::format("open {}: it is no HDF5 file, or it is cut off", path.string()));
  return File(Id(id, H5Fclose, "open a file"));
}

void File::make_groups(const std::string& name) {
  for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string group = name.substr(0, slash);
    if (has(group)) continue;
    const Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "make a property list");
    H5Pset_link_creation_order(creation.get(), kInOrder);
    H5Pset_attr_creation_order(creation.get(), kInOrder);
    const hid_t id = H5Gcreate2(file_.get(), group.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT);
    require(id >= 0, "create the group " + group);
    H5Gclose(id);
  }
}

Id File::make_dataset(const std::string& name, hid_t type, const std::vector<Index>& shape,
                      const std::vector<Index>& chunk) {
  const Id space = space_of(shape);
  make_groups(name);
  const Id creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "make a property list");
  if (!chunk.empty() && count_of(shape) > 0) {
    const std::vector<hsize_t> dims(chunk.begin(), chunk.end());
    H5Pset_chunk(creation.get(), static_cast<int>(dims.size()), dims.data());
    H5Pset_fletcher32(creation.get());
  }
  H5Pset_attr_creation_order(creation.get(), kInOrder);
  if (H5Tis_variable_str(type) <= 0) H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  const hid_t id =
      H5Dcreate2(file_.get(), name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT);
  require(id >= 0, "create the dataset " + name);
  return {id, H5Dclose, "create a dataset"};
}

Id File::dataset(const std::string& name) const {
  const hid_t id = H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT);
  require(id >= 0, "find the dataset " + name);
  return {id, H5Dclose, "open a dataset"};
}

void File::write_all(const std::string& name, hid_t type, const std::vector<Index>& shape,
                     const void* values) {
  Id data = make_dataset(name, type, shape, chunk_of(shape));
  require(H5Dwrite(data.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, "write " + name);
  require(data.close(), "write " + name);
}

void File::write(const std::string& name, const std::vector<Index>& shape, std::span<const double> values) {
  QHEAT_ASSERT(count_of(shape) == static_cast<Index>(values.size()));
  write_all(name, H5T_NATIVE_DOUBLE, shape, values.data());
}

void File::write(const std::string& name, const std::vector<Index>& shape,
                 std::span<const std::int64_t> values) {
  QHEAT_ASSERT(count_of(shape) == static_cast<Index>(values.size()));
  write_all(name, H5T_NATIVE_INT64, shape, values.data());
}

void File::write_text(const std::string& name, const std::string& text) {
  const Id type = text_type(text.size());
  write_all(name, type.get(), {}, text.data());
}

void File::write_variable_text(const std::string& name, const std::string& text) {
  const Id type(H5Tcopy(H5T_C_S1), H5Tclose, "make a text type");
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  const char* const start = text.c_str();
  write_all(name, type.get(), {}, &start);
}

void File::create_series(const std::string& name, Index count, const std::vector<Index>& slice_shape) {
  std::vector<Index> shape = {count};
  shape.insert(shape.end(), slice_shape.begin(), slice_shape.end());
  std::vector<Index> chunk = chunk_of(shape);
  chunk[0] = 1;
  make_dataset(name, H5T_NATIVE_DOUBLE, shape, chunk);
}

void File::write_slice(const std::string& name, Index number, std::span<const double> values) {
  const Id data = dataset(name);
  const Id space(H5Dget_space(data.get()), H5Sclose, "read a shape");
  std::vector<hsize_t> count(as_size(H5Sget_simple_extent_ndims(space.get())));
  H5Sget_simple_extent_dims(space.get(), count.data(), nullptr);
  std::vector<hsize_t> start(count.size(), 0);
  start[0] = static_cast<hsize_t>(number);
  count[0] = 1;
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  const Id memory = space_of({static_cast<Index>(values.size())});
  require(H5Dwrite(data.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, values.data()) >= 0,
          "write " + name);
}

void File::create_vector(const std::string& name, Index size) {
  make_dataset(name, H5T_NATIVE_DOUBLE, {size}, {std::clamp<Index>(size, 1, kChunkElements)});
}

void File::write_part(const std::string& name, Index offset, std::span<const double> values) {
  if (values.empty()) return;
  Id data = dataset(name);
  const Id space(H5Dget_space(data.get()), H5Sclose, "read a shape");
  const auto start = static_cast<hsize_t>(offset);
  const auto count = static_cast<hsize_t>(values.size());
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr);
  const Id memory = space_of({static_cast<Index>(values.size())});
  require(H5Dwrite(data.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, values.data()) >= 0,
          "write " + name);
  require(data.close(), "write " + name);
}

void File::copy(const File& source, const std::string& name, const std::string& to) {
  make_groups(to);
  const Id options(H5Pcreate(H5P_OBJECT_COPY), H5Pclose, "make a property list");
  H5Pset_copy_object(options.get(), H5O_COPY_WITHOUT_ATTR_FLAG);
  require(H5Ocopy(source.file_.get(), name.c_str(), file_.get(), to.c_str(), options.get(), H5P_DEFAULT) >= 0,
          "copy " + name);
}

bool File::is_real(const std::string& name) const {
  const Id type(H5Dget_type(dataset(name).get()), H5Tclose, "read a type");
  return H5Tget_class(type.get()) == H5T_FLOAT;
}

bool File::is_numeric(const std::string& name) const {
  const Id type(H5Dget_type(dataset(name).get()), H5Tclose, "read a type");
  const H5T_class_t kind = H5Tget_class(type.get());
  return kind == H5T_FLOAT || kind == H5T_INTEGER;
}

bool File::has(const std::string& name) const {
  for (std::size_t slash = name.find('/', 1);; slash = name.find('/', slash + 1)) {
    const std::string part = name.substr(0, slash);
    if (!part.empty() && H5Lexists(file_.get(), part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

std::vector<Index> File::shape(const std::string& name) const {
  const Id data = dataset(name);
  const Id space(H5Dget_space(data.get()), H5Sclose, "read a shape");
  std::vector<hsize_t> dims(as_size(H5Sget_simple_extent_ndims(space.get())));
  if (!dims.empty()) H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

Index File::size(const std::string& name) const {
  const Id data = dataset(name);
  const Id space(H5Dget_space(data.get()), H5Sclose, "read a shape");
  return static_cast<Index>(H5Sget_simple_extent_npoints(space.get()));
}

std::vector<double> File::read(const std::string& name) const {
  const Id data = dataset(name);
  const Id space(H5Dget_space(data.get()), H5Sclose, "read a shape");
  std::vector<double> values(as_size(H5Sget_simple_extent_npoints(space.get())));
  require(H5Dread(data.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
          fmt::format("read {}: the file is damaged", name));
  return values;
}

void File::read_part(const std::string& name, Index offset, std::span<double> values) const {
  if (values.empty()) return;
  const Id data = dataset(name);
  const Id space(H5Dget_space(data.get()), H5Sclose, "read a shape");
  const auto start = static_cast<hsize_t>(offset);
  const auto count = static_cast<hsize_t>(values.size());
  require(H5Sget_simple_extent_npoints(space.get()) >= static_cast<hssize_t>(start + count),
          fmt::format("read {}: it is too short", name));
  H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr);
  const Id memory = space_of({static_cast<Index>(values.size())});
  require(H5Dread(data.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, values.data()) >= 0,
          fmt::format("read {}: the file is damaged", name));
}

std::string File::read_text(const std::string& name) const {
  const Id data = dataset(name);
  const Id type(H5Dget_type(data.get()), H5Tclose, "read a type");
  if (H5Tis_variable_str(type.get()) > 0) {
    char* start = nullptr;
    require(H5Dread(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, static_cast<void*>(&start)) >= 0 &&
                start != nullptr,
            "read " + name);
    std::string text(start);
    H5free_memory(start);
    return text;
  }
  std::string text(H5Tget_size(type.get()), '\0');  // up to format 1.1
  require(H5Dread(data.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()) >= 0, "read " + name);
  return text;
}

std::vector<std::string> File::datasets(const std::string& group) const {
  struct Found {
    std::string root;
    std::vector<std::string> names;
  } found{group == "/" ? "" : group, {}};
  const auto visit = [](hid_t, const char* name, const H5O_info_t* info, void* pointer) -> herr_t {
    auto& into = *static_cast<Found*>(pointer);
    if (info->type == H5O_TYPE_DATASET) into.names.push_back(into.root + "/" + name);
    return 0;
  };
  if (group == "/" || has(group)) {
    H5Ovisit_by_name(file_.get(), group.c_str(), H5_INDEX_NAME, H5_ITER_INC, visit, &found, H5P_DEFAULT);
  }
  return found.names;
}

void File::close() {
  const bool flushed = H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) >= 0;
  const bool closed = file_.close();
  require(flushed && closed, "write the file to its end; is the disk full?");
}

void require_room(const std::filesystem::path& path, Index bytes) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  int failure = descriptor < 0 ? errno : ::posix_fallocate(descriptor, 0, bytes);
  if (failure == EOPNOTSUPP || failure == EINVAL) failure = 0;  // some file systems cannot tell
  if (descriptor >= 0) {
    ::close(descriptor);
    ::unlink(path.c_str());
  }
  if (failure != 0) {
    throw Error(fmt::format("there is no room for {:.3g} MB at {}: {}", static_cast<double>(bytes) / 1e6,
                            path.string(), std::strerror(failure)));
  }
}

void move_into_place(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto sync = [](const std::filesystem::path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags);
    const bool ok = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    return ok;
  };
  const auto folder = to.has_parent_path() ? to.parent_path() : std::filesystem::path(".");
  if (!sync(from, O_RDWR))
    throw Error(fmt::format("cannot flush {} to the disk: {}", from.string(), std::strerror(errno)));
  std::error_code failure;
  std::filesystem::rename(from, to, failure);
  if (failure)
    throw Error(fmt::format("cannot rename {} to {}: {}", from.string(), to.string(), failure.message()));
  sync(folder, O_RDONLY | O_DIRECTORY);  // some file systems refuse; the rename itself has been done
}

}  // namespace qheat::hdf5
