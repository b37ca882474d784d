#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace qheat {

/// A text that bears its name only when it is whole. Throws Error, naming it, if it cannot be written.
class TextFile {
 public:
  /// Makes the folder, too.
  explicit TextFile(std::filesystem::path path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  void write(std::string_view text);
  void finish();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream_;
  bool good_ = true;
};

}  // namespace qheat
