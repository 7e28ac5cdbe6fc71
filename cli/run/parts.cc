#include "cli/run/parts.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/Option.hpp>

#include "absl/strings/str_cat.h"
#include "cli/run/guest.h"
#include "hostio/file.h"
#include "hostio/number.h"

namespace isochron::cli {
namespace {

constexpr const char* kInterpreter = "python3";
// Has no module of the folder that the command is given in (-P). What is not installed is told of
// as anything else is.
constexpr const char* kClusterClient = R"(import sys
try:
    from isochron import cluster
except ImportError as error:
    print(f"isochron: --dask needs the Python package isochron: {error}", file=sys.stderr)
    sys.exit(2)
sys.exit(cluster.main())
)";

const char* WordFor(PartsWanted wanted) {
  switch (wanted) {
    case PartsWanted::kAll: return "all";
    case PartsWanted::kUpTo: return "up-to";
    case PartsWanted::kFirst: break;
  }
  return "first";
}

constexpr std::string_view kDask = "--dask";

// The words that make `command` what it was parsed to be, without --dask.
std::vector<std::string> WordsOf(const CLI::App& command) {
  std::vector<std::string> words = {command.get_name()};
  std::vector<std::string> behind_dashes;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || name == kDask) continue;
    const bool flag = option->get_items_expected_max() == 0;
    for (const std::string& result : option->results()) {
      if (!option->get_positional()) {
        words.push_back(flag ? name : absl::StrCat(name, "=", result));
      } else if (result.starts_with('-') || !behind_dashes.empty()) {
        behind_dashes.push_back(result);
      } else {
        words.push_back(result);
      }
    }
  }
  if (!behind_dashes.empty()) words.push_back("--");
  words.insert(words.end(), behind_dashes.begin(), behind_dashes.end());
  return words;
}

}  // namespace

std::string PartName(uint64_t from, uint64_t to) { return absl::StrCat(from, "-", to); }

absl::Status CheckParts(const PartsOptions& options, int jobs) {
  if (jobs == 0 || !options.any()) return absl::OkStatus();
  return absl::InvalidArgumentError("--jobs and --dask or --part do not go together");
}

absl::StatusOr<PartWork> ParsePartWork(std::string_view text) {
  if (text == "list") return PartWork{PartWork::Kind::kList};
  if (text == "join") return PartWork{PartWork::Kind::kJoin};
  const size_t dash = text.find('-');
  if (dash != text.npos) {
    const auto from = hostio::ParseDigits(text.substr(0, dash), 10);
    const auto to = hostio::ParseDigits(text.substr(dash + 1), 10);
    if (from.has_value() && to.has_value() && *from <= *to) {
      return PartWork{PartWork::Kind::kOne, *from, *to};
    }
  }
  return absl::InvalidArgumentError("a part is list, join or FROM-TO");
}

void AddPartsOptions(CLI::App& command, PartsOptions& options, const std::string& what) {
  command.add_option(std::string(kDask), options.scheduler, what)
      ->type_name("HOST:PORT")
      ->check([](const std::string& address) {
        return std::string(address.empty() ? "a scheduler has an address" : "");
      })
      ->group("Control");
  command
      .add_option_function<std::string>(
          "--part", [&options](const std::string& text) { options.work = *ParsePartWork(text); },
          "do one part of it, list the parts or join what they wrote (docs/query.md)")
      ->type_name("list|FROM-TO|join")
      ->check([](const std::string& text) {
        const absl::StatusOr<PartWork> work = ParsePartWork(text);
        return work.ok() ? std::string() : std::string(work.status().message());
      })
      ->group("Control");
}

int BecomeClusterClient(const CLI::App& command, const std::string& scheduler, PartsWanted wanted,
                        const std::vector<std::string>& files) {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::vector<std::string> words = {kInterpreter,    "-P",      "-c",   kClusterClient,
                                    WordFor(wanted), scheduler, program};
  words.push_back(absl::StrCat(files.size()));
  words.insert(words.end(), files.begin(), files.end());
  for (std::string& word : WordsOf(command)) words.push_back(std::move(word));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(kInterpreter, arguments.data());
  return RefuseInput(
      absl::ErrnoToStatus(errno, absl::StrCat(std::string(kDask), " needs ", kInterpreter)));
}

absl::Status ReadParts(const std::function<absl::StatusOr<bool>(std::string_view line)>& take,
                       const std::function<void()>& pause) {
  std::string text;
  std::array<char, 1 << 16> bytes;
  uint64_t number = 0;
  for (;;) {
    size_t begin = 0;
    for (size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
      ++number;
      const absl::StatusOr<bool> more = take(std::string_view(text).substr(begin, end - begin));
      if (!more.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("standard input, line ", number, ": ",
                                                       std::string(more.status().message())));
      }
      if (!*more) return absl::OkStatus();
    }
    text.erase(0, begin);
    pause();
    const ssize_t size = hostio::ReadSome(STDIN_FILENO, bytes.data(), bytes.size());
    if (size < 0) {
      return absl::ErrnoToStatus(errno, "standard input");
    }
    if (size == 0) break;
    text.append(bytes.data(), static_cast<size_t>(size));
  }
  if (text.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("standard input: ends within a line");
}

}  // namespace isochron::cli
