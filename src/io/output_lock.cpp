#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "qheat/io/checkpoint.hpp"
#include "qheat/parallel/error.hpp"

namespace qheat {
namespace {

/// The name still stands for the file that was opened (the run before removes it when it ends).
bool still_there(int descriptor, const std::filesystem::path& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(file.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino;
}

/// Empty if `descriptor` now holds the lock, otherwise what is in the way.
std::string acquire(const std::filesystem::path& file, const std::filesystem::path& output, int& descriptor) {
  for (;;) {
    descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
      return fmt::format("cannot write beside {}: {}", output.string(), std::strerror(errno));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    // A file system without locks is no reason to refuse work: only a lock that is held is.
    if (::fcntl(descriptor, F_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)) {
      ::close(descriptor);
      descriptor = -1;
      return fmt::format("{} is in use by another run; wait for it, or give another --out", output.string());
    }
    if (still_there(descriptor, file)) return {};
    ::close(descriptor);
  }
}

}  // namespace

OutputLock::OutputLock(const std::filesystem::path& output, const Communicator& comm)
    : file_(output.string() + ".lock") {
  std::string failure;
  if (comm.is_root()) failure = acquire(file_, output, descriptor_);
  if (comm.any(!failure.empty()))
    throw Error(failure.empty() ? "the output cannot be used (see rank 0)" : failure);
}

OutputLock::~OutputLock() {
  if (descriptor_ < 0) return;
  ::unlink(file_.c_str());
  ::close(descriptor_);
}

}  // namespace qheat
