#include <fmt/format.h>

#include <algorithm>

#include "io/hdf5_types.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat::hdf5 {
namespace {

Id opened(hid_t file, const std::string& object, const std::string& name) {
  const hid_t id = H5Aopen_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  require(id >= 0, fmt::format("find the attribute {} of {}", name, object));
  return {id, H5Aclose, "find an attribute"};
}

std::size_t count_in(const Id& attribute) {
  const Id space(H5Aget_space(attribute.get()), H5Sclose, "read a shape");
  return as_size(H5Sget_simple_extent_npoints(space.get()));
}

template <class T>
std::vector<T> numbers_in(const Id& attribute, hid_t type) {
  std::vector<T> values(count_in(attribute));
  require(H5Aread(attribute.get(), type, values.data()) >= 0, "read an attribute");
  return values;
}

/// Texts of fixed length, without the padding behind them.
std::vector<std::string> texts_in(const Id& attribute) {
  const Id type(H5Aget_type(attribute.get()), H5Tclose, "read a type");
  require(H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) == 0,
          "read an attribute that is no text of fixed length");
  const std::size_t length = H5Tget_size(type.get());
  std::string all(length * count_in(attribute), '\0');
  require(H5Aread(attribute.get(), type.get(), all.data()) >= 0, "read an attribute");
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size(); at += length) {
    const std::string padded = all.substr(at, length);
    texts.push_back(padded.substr(0, padded.find_last_not_of('\0') + 1));
  }
  return texts;
}

}  // namespace

void File::write_attribute(const std::string& object, const std::string& name, hid_t type, const Id& space,
                           const void* values) {
  const hid_t id = H5Acreate_by_name(file_.get(), object.c_str(), name.c_str(), type, space.get(),
                                     H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  require(id >= 0, fmt::format("create the attribute {} of {}", name, object));
  Id attribute(id, H5Aclose, "create an attribute");
  const bool written = H5Awrite(attribute.get(), type, values) >= 0;
  require(attribute.close() && written, fmt::format("write the attribute {} of {}", name, object));
}

void File::attribute(const std::string& object, const std::string& name, const std::string& text) {
  write_attribute(object, name, text_type(text.size()).get(), space_of({}), text.data());
}

void File::attribute(const std::string& object, const std::string& name, std::int64_t value) {
  write_attribute(object, name, H5T_NATIVE_INT64, space_of({}), &value);
}

void File::attribute(const std::string& object, const std::string& name, double value) {
  write_attribute(object, name, H5T_NATIVE_DOUBLE, space_of({}), &value);
}

void File::attribute(const std::string& object, const std::string& name,
                     std::span<const std::int64_t> values) {
  write_attribute(object, name, H5T_NATIVE_INT64, space_of({static_cast<Index>(values.size())}),
                  values.data());
}

void File::attribute(const std::string& object, const std::string& name, std::span<const double> values) {
  write_attribute(object, name, H5T_NATIVE_DOUBLE, space_of({static_cast<Index>(values.size())}),
                  values.data());
}

void File::attribute(const std::string& object, const std::string& name, std::span<const std::string> texts) {
  std::size_t length = 1;
  for (const auto& text : texts) length = std::max(length, text.size());
  std::string padded;
  for (const auto& text : texts) padded += text + std::string(length - text.size(), '\0');
  write_attribute(object, name, text_type(length).get(), space_of({static_cast<Index>(texts.size())}),
                  padded.data());
}

std::vector<std::string> File::scales(const std::string& name) const {
  std::vector<std::string> names(shape(name).size());
  if (!has_attribute(name, "DIMENSION_LIST")) return names;
  const Id list = opened(file_.get(), name, "DIMENSION_LIST");  // for each axis references to its scales
  const Id type(H5Aget_type(list.get()), H5Tclose, "read a type");
  const Id space(H5Aget_space(list.get()), H5Sclose, "read a shape");
  std::vector<hvl_t> axes(as_size(H5Sget_simple_extent_npoints(space.get())));
  require(H5Aread(list.get(), type.get(), axes.data()) >= 0, "read the axes of " + name);
  for (std::size_t k = 0; k < std::min(axes.size(), names.size()); ++k) {
    if (axes[k].len == 0) continue;
    const hid_t scale = H5Rdereference2(list.get(), H5P_DEFAULT, H5R_OBJECT, axes[k].p);
    if (scale < 0) continue;
    std::string path(as_size(std::max<ssize_t>(0, H5Iget_name(scale, nullptr, 0))), '\0');
    H5Iget_name(scale, path.data(), path.size() + 1);
    names[k] = path;
    H5Oclose(scale);
  }
  H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, axes.data());
  return names;
}

bool File::has_attribute(const std::string& object, const std::string& name) const {
  return H5Aexists_by_name(file_.get(), object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::string File::text_attribute(const std::string& object, const std::string& name) const {
  const auto texts = texts_in(opened(file_.get(), object, name));
  require(texts.size() == 1, fmt::format("read the attribute {} of {}: it is no single text", name, object));
  return texts.front();
}

std::vector<std::int64_t> File::integer_attribute(const std::string& object, const std::string& name) const {
  return numbers_in<std::int64_t>(opened(file_.get(), object, name), H5T_NATIVE_INT64);
}

std::vector<double> File::real_attribute(const std::string& object, const std::string& name) const {
  return numbers_in<double>(opened(file_.get(), object, name), H5T_NATIVE_DOUBLE);
}

std::vector<Attribute> File::attributes(const std::string& object) const {
  std::vector<std::string> names;
  const auto note = [](hid_t, const char* name, const H5A_info_t*, void* into) -> herr_t {
    static_cast<std::vector<std::string>*>(into)->emplace_back(name);
    return 0;
  };
  hsize_t from = 0;
  require(H5Aiterate_by_name(file_.get(), object.c_str(), H5_INDEX_NAME, H5_ITER_INC, &from, note, &names,
                             H5P_DEFAULT) >= 0,
          "list the attributes of " + object);
  std::vector<Attribute> found;
  for (const auto& name : names) {
    const Id attribute = opened(file_.get(), object, name);
    const Id type(H5Aget_type(attribute.get()), H5Tclose, "read a type");
    const Id space(H5Aget_space(attribute.get()), H5Sclose, "read a shape");
    const bool is_scalar = H5Sget_simple_extent_type(space.get()) == H5S_SCALAR;
    switch (H5Tget_class(type.get())) {
      case H5T_STRING:
        found.push_back({name, texts_in(attribute), is_scalar});
        break;
      case H5T_INTEGER:
        found.push_back({name, numbers_in<std::int64_t>(attribute, H5T_NATIVE_INT64), is_scalar});
        break;
      case H5T_FLOAT:
        found.push_back({name, numbers_in<double>(attribute, H5T_NATIVE_DOUBLE), is_scalar});
        break;
      default:
        break;
    }
  }
  return found;
}

}  // namespace qheat::hdf5
