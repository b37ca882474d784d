#include "io/text_file.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "qheat/parallel/error.hpp"

namespace qheat {

TextFile::TextFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + ".tmp"), stream_(nullptr, std::fclose) {
  std::error_code failure;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), failure);
  stream_.reset(std::fopen(temporary_.c_str(), "w"));
  if (!stream_) fail();
}

TextFile::~TextFile() {
  std::error_code ignored;
  if (stream_) std::filesystem::remove(temporary_, ignored);
}

void TextFile::write(std::string_view text) {
  good_ = std::fwrite(text.data(), 1, text.size(), stream_.get()) == text.size() && good_;
}

void TextFile::finish() {
  good_ = std::fclose(stream_.release()) == 0 && good_;
  std::error_code failure;
  if (good_) std::filesystem::rename(temporary_, path_, failure);
  if (good_ && !failure) return;
  std::filesystem::remove(temporary_, failure);
  fail();
}

void TextFile::fail() const {
  throw Error(fmt::format("{} cannot be written; is the folder writable, the disk full?", path_.string()));
}

}  // namespace qheat
