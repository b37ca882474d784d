#include "qheat/io/job.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "io/job_sections.hpp"
#include "io/job_units.hpp"
#include "io/toml_tree.hpp"
#include "qheat/io/sweep.hpp"
#include "qheat/parallel/error.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

using jobfile::CheckedTable;
using jobfile::Draft;

constexpr std::size_t kMaxFileSize = std::size_t{64} << 20;

[[noreturn]] void cannot_read(const std::filesystem::path& file, const std::string& why) {
  throw InputError(fmt::format("{}: the job file cannot be read: {}", file.string(), why));
}

}  // namespace

std::string read_job_text(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) cannot_read(file, "it is a directory; name a file in it");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) cannot_read(file, std::generic_category().message(errno) + "; check the name");
  std::string text;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (stream) {
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    text.append(buffer.data(), as_size(stream.gcount()));
    if (text.size() > kMaxFileSize) cannot_read(file, "it has more than 64 MiB; is it a job file?");
  }
  if (stream.bad()) cannot_read(file, std::generic_category().message(errno));
  return text;
}

namespace {

void read_title(CheckedTable& root, std::string& title) {
  if (!root.text("title", title) || title.find('\0') == std::string::npos) return;
  root.problem("title", "contains a NUL character, which texts in results cannot hold; remove it");
}

void read_sections(CheckedTable& root, Draft& draft) {
  read_title(root, draft.job.title);
  read_lattice(root, draft);
  draft.job.units = read_units(root, draft.job.lattice);
  read_site(root, draft);
  read_interaction(root, draft);
  read_bath(root, draft);
  read_initial(root, draft);
  read_requests(root, draft);
  read_output(root, draft);
  root.table("sweep");  // a word for those who misspell it; what it says has been read before
  root.report_unknown_keys();
  check_requests(root, draft);
}

}  // namespace

std::vector<double> TimeGrid::times() const {
  std::vector<double> times(as_size(outputs), 0.0);
  const long double last = outputs - 1;  // long double: k * end neither overflows nor rounds twice
  for (std::size_t k = 1; k < times.size(); ++k) {
    times[k] = static_cast<double>(static_cast<long double>(end) * static_cast<long double>(k) / last);
  }
  return times;
}

Job jobfile::job_of(const TomlTable& toml, std::string text, const std::string& name) {
  Problems problems(name);
  CheckedTable root(toml, Place{}, "", problems);
  Draft draft;
  draft.job.name = name;
  draft.job.text = std::move(text);
  read_sections(root, draft);
  problems.throw_if_any();
  assemble_model(draft);
  complete_steady(toml, draft, problems);
  complete_transport(toml, draft, problems);
  problems.throw_if_any();
  draft.job.unavailable = unavailable_computations(draft.job, draft.bath, toml);
  return std::move(draft.job);
}

Job parse_job(std::string text, const std::string& name) {
  const Sweep sweep(std::move(text), name);
  if (sweep.swept()) throw InputError(fmt::format("{}: stands for many jobs; remove [sweep]", name));
  return sweep.job(0);
}

Job read_job(const std::filesystem::path& file) {
  return parse_job(read_job_text(file), file.string());
}

}  // namespace qheat
