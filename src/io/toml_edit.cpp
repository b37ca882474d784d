#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "io/toml_tree.hpp"

namespace qheat::jobfile {
namespace {

TomlEntry* entry_of(TomlTable& table, std::string_view key) {
  const auto found = std::find_if(table.entries.begin(), table.entries.end(),
                                  [&](const TomlEntry& entry) { return entry.key == key; });
  return found == table.entries.end() ? nullptr : &*found;
}

/// An integer that a reader takes for a real number would change the type of the key: 1.0 stays 1.0.
std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0.0 ? "inf" : "-inf";
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string quoted_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  return bare ? std::string(key) : quoted_text(key);
}

std::string inline_table(const TomlTable& table) {
  std::string text = "{";
  for (const auto& entry : table.entries) {
    text +=
        fmt::format("{} {} = {}", text.size() > 1 ? "," : "", key_text(entry.key), toml_text(entry.value));
  }
  return text + " }";
}

std::string list_text(const TomlArray& list) {
  std::string text = "[";
  for (const auto& value : list) text += (text.size() > 1 ? ", " : "") + toml_text(value);
  return text + "]";
}

}  // namespace

bool assign(TomlTable& root, std::string_view path, const TomlValue& value) {
  const std::size_t dot = path.find('.');
  const auto [key, index] = split_index(path.substr(0, dot));
  const bool last = dot == std::string_view::npos;
  TomlEntry* entry = entry_of(root, key);
  TomlValue* target = entry != nullptr ? &entry->value : nullptr;
  if (index) {
    auto* list = target != nullptr ? std::get_if<TomlArray>(&target->data) : nullptr;
    if (list == nullptr || *index >= list->size()) return false;
    target = &(*list)[*index];
  }
  if (last && target != nullptr) {
    *target = value;
    if (!index) entry->place = value.place;
    return true;
  }
  if (last) {
    root.entries.push_back({std::string(key), value.place, value});
    return true;
  }
  if (target != nullptr) {
    auto* table = std::get_if<TomlTable>(&target->data);
    return table != nullptr && assign(*table, path.substr(dot + 1), value);
  }
  TomlTable made{value.place, {}};
  if (!assign(made, path.substr(dot + 1), value)) return false;
  root.entries.push_back({std::string(key), value.place, {value.place, std::move(made)}});
  return true;
}

TomlTable job_with(TomlTable root, const Assignments& assignments) {
  for (const auto& [path, value] : assignments) assign(root, path, value);
  return root;
}

std::string toml_text(const TomlValue& value) {
  struct Text {
    std::string operator()(bool boolean) const { return boolean ? "true" : "false"; }
    std::string operator()(std::int64_t integer) const { return fmt::format("{}", integer); }
    std::string operator()(double number) const { return real_text(number); }
    std::string operator()(const std::string& text) const { return quoted_text(text); }
    std::string operator()(TomlDate) const { return "1970-01-01"; }  // no key takes one, whichever it is
    std::string operator()(const TomlWrong& wrong) const { return quoted_text(wrong.text); }
    std::string operator()(const TomlArray& list) const { return list_text(list); }
    std::string operator()(const TomlTable& table) const { return inline_table(table); }
  };
  return std::visit(Text{}, value.data);
}

std::string toml_text(const TomlTable& root) {
  std::string values;  // before the first table, so that they belong to none
  std::string tables;
  for (const auto& entry : root.entries) {
    const auto* table = std::get_if<TomlTable>(&entry.value.data);
    if (table == nullptr) {
      values += fmt::format("{} = {}\n", key_text(entry.key), toml_text(entry.value));
      continue;
    }
    tables += fmt::format("\n[{}]\n", key_text(entry.key));
    for (const auto& inner : table->entries)
      tables += fmt::format("{} = {}\n", key_text(inner.key), toml_text(inner.value));
  }
  return values + tables;
}

}  // namespace qheat::jobfile
