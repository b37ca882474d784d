#include "io/toml_tree.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "qheat/io/job.hpp"

namespace qheat::jobfile {
namespace {

/// The schema needs 3. A path of 100 000 parts overflows the stack of toml++, which tears tables down
/// recursively.
constexpr int kMaxKeyParts = 8;

/// Walks over TOML text knowing only strings and comments, and finds a dotted key of too many parts.
class KeyDepthScan {
 public:
  explicit KeyDepthScan(std::string_view text) : text_(text) {}

  std::optional<Place> too_deep() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        skip_to('\n');
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        dots_ = c == '.' ? dots_ + 1 : (ends_key(c) ? 0 : dots_);
        if (dots_ >= kMaxKeyParts) return here();
        ++at_;
      }
    }
    return {};
  }

 private:
  static bool ends_key(char c) { return std::string_view("=,[]{}\n").find(c) != std::string_view::npos; }

  void skip_to(char c) { at_ = std::min(text_.find(c, at_), text_.size()); }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool multiline = text_.substr(at_, 3) == triple;
    const std::string_view end = multiline ? std::string_view(triple) : std::string_view(triple).substr(0, 1);
    at_ += end.size();
    while (at_ < text_.size() && text_.substr(at_, end.size()) != end) {
      if (!multiline && text_[at_] == '\n') return;  // not closed: the parser will say so
      at_ += quote == '"' && text_[at_] == '\\' ? 2 : 1;
    }
    at_ += end.size();
  }

  Place here() const {
    const std::string_view before = text_.substr(0, at_);
    const auto lines = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
    return {lines + 1, 1};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int dots_ = 0;
};

Place place_from(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

TomlValue convert(const toml::node& node);

TomlTable convert_table(const toml::table& table) {
  TomlTable result{place_from(table.source()), {}};
  for (const auto& [key, node] : table) {
    const auto* inner = node.as_table();
    const bool array_of_tables = node.is_array_of_tables() && node.source().begin < key.source().begin;
    const bool has_header = (inner != nullptr && !inner->is_inline()) || array_of_tables;
    const Place place = place_from(has_header ? node.source() : key.source());
    result.entries.push_back({std::string(key.str()), place, convert(node)});
  }
  return result;
}

TomlArray convert_array(const toml::array& array) {
  TomlArray result;
  result.reserve(array.size());
  for (const auto& node : array) result.push_back(convert(node));
  return result;
}

TomlValue convert(const toml::node& node) {
  TomlValue result{place_from(node.source()), TomlDate{}};
  if (const auto* boolean = node.as_boolean()) result.data = boolean->get();
  if (const auto* integer = node.as_integer()) result.data = integer->get();
  if (const auto* number = node.as_floating_point()) result.data = number->get();
  if (const auto* text = node.as_string()) result.data = text->get();
  if (const auto* array = node.as_array()) result.data = convert_array(*array);
  if (const auto* table = node.as_table()) result.data = convert_table(*table);
  return result;
}

}  // namespace

std::pair<std::string_view, std::optional<std::size_t>> split_index(std::string_view part) {
  const std::size_t bracket = part.find('[');
  if (bracket == std::string_view::npos) return {part, {}};
  std::size_t index = 0;
  std::from_chars(part.data() + bracket + 1, part.data() + part.size(), index);
  return {part.substr(0, bracket), index};
}

const TomlEntry* TomlTable::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::optional<TomlTable> parse_toml(const std::string& text, Problems& problems) {
  if (const auto place = KeyDepthScan(text).too_deep()) {
    problems.add(*place, "",
                 fmt::format("a key has more than {} parts; keys of a job have at most 3", kMaxKeyParts));
    return {};
  }
  try {
    return convert_table(toml::parse(std::string_view(text)));
  } catch (const toml::parse_error& error) {
    problems.add(place_from(error.source()), "",
                 fmt::format("this is not TOML; correct it here or just before: {}",
                             printable(error.description(), 300)));
    return {};
  }
}

std::string_view type_name(const TomlValue& value) {
  constexpr std::string_view names[] = {"a boolean (true or false)",
                                        "an integer",
                                        "a number with a point or an exponent",
                                        "a string",
                                        "a date or time",
                                        "a list",
                                        "a table",
                                        "a string"};
  return names[value.data.index()];
}

Place place_of(const TomlTable& root, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto [key, index] = split_index(path.substr(0, dot));
  const TomlEntry* entry = root.find(key);
  if (entry == nullptr) return root.place;
  const TomlValue* value = &entry->value;
  Place place = entry->place;
  const auto* array = std::get_if<TomlArray>(&value->data);
  if (array != nullptr && index && *index < array->size()) {
    value = &(*array)[*index];
    place = value->place;
  }
  const auto* table = std::get_if<TomlTable>(&value->data);
  if (table == nullptr || dot == std::string_view::npos) return place;
  const Place inside = place_of(*table, path.substr(dot + 1));
  return inside == table->place ? place : inside;
}

const TomlValue* value_at(const TomlTable& root, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto [key, index] = split_index(path.substr(0, dot));
  const TomlEntry* entry = root.find(key);
  const TomlValue* value = entry != nullptr ? &entry->value : nullptr;
  if (value != nullptr && index) {
    const auto* array = std::get_if<TomlArray>(&value->data);
    value = array != nullptr && *index < array->size() ? &(*array)[*index] : nullptr;
  }
  if (value == nullptr || dot == std::string_view::npos) return value;
  const auto* table = std::get_if<TomlTable>(&value->data);
  return table != nullptr ? value_at(*table, path.substr(dot + 1)) : nullptr;
}

}  // namespace qheat::jobfile

namespace qheat {

std::string text_without_times(const std::string& job_text) {
  toml::table job = toml::parse(std::string_view(job_text));
  for (const char* key : {"title", "time", "output"}) job.erase(key);
  std::ostringstream text;
  text << toml::json_formatter(job);  // sorts keys, drops comments
  return text.str();
}

}  // namespace qheat
