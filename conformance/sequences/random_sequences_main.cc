// Runs random sequences, or programs on the whole board, on two engines, many at a time:
// random_sequences --help.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "conformance/sequences/board_case.h"
#include "conformance/sequences/board_check.h"
#include "conformance/sequences/sequence_check.h"
#include "conformance/sequences/sequence_generator.h"
#include "conformance/sequences/user_sequence.h"
#include "engines/engines.h"
#include "hostio/printable.h"

namespace isochron::conformance {
namespace {

constexpr int kEqual = 0;
constexpr int kHoles = 1;
constexpr int kUsage = 2;
constexpr int kDifferent = 3;

struct Options {
  std::string engines = engines::DefaultEnginePair();
  std::string seeds = "1-100";
  unsigned jobs = 1;
  uint64_t cycles = 0;  // 0: as generated
  bool coverage = false;
  bool shrink = true;
  bool list = false;
  bool board = false;
  bool dma = false;
  bool cpus = false;

  BoardKind kind() const {
    return dma ? BoardKind::kDma : cpus ? BoardKind::kCpus : BoardKind::kPlain;
  }
  uint64_t stop_after = 1;
  std::string save_directory;
  std::string verdicts_path;
  std::string user_path;
  std::vector<std::string> files;
};

int UsageError(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::cerr << "random_sequences: " << hostio::Printable(message) << "\n";
  return kUsage;
}

bool ParseSeed(std::string_view text, uint64_t& seed) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc() && end == text.data() + text.size() && seed != UINT64_MAX;
}

// Seeds from "A-B" or "A".
bool ParseSeeds(std::string_view text, uint64_t& first, uint64_t& last) {
  const size_t dash = text.find('-');
  if (!ParseSeed(text.substr(0, dash), first)) return false;
  last = first;
  return dash == text.npos || (ParseSeed(text.substr(dash + 1), last) && last >= first);
}

// Writes a file whole, or says which cannot be written.
bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file)
    std::cerr << "random_sequences: " << hostio::Printable(path) << ": cannot be written\n";
  return static_cast<bool>(file);
}

// Collects verdicts in the order of seeds, whichever thread finished first.
class Campaign {
 public:
  Campaign(const Options& options, std::vector<engines::NamedEngine> engines)
      : options_(options), engines_(std::move(engines)) {}

  void Run(uint64_t first, uint64_t last) {
    next_ = first;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < options_.jobs; ++i) threads.emplace_back([&] { Work(last); });
    for (std::thread& thread : threads) thread.join();
  }

  // One sequence and its name.
  void Check(const std::string& name, Sequence sequence) {
    if (options_.cycles != 0) sequence.cycles = options_.cycles;
    SequenceCoverage coverage;
    const SequenceVerdict verdict =
        CheckSequence(engines_, sequence, options_.coverage ? &coverage : nullptr);
    std::string failure;
    if (verdict.mismatch) failure = Explain(name, sequence, *verdict.mismatch);
    Note(name, sequence.seed, verdict.instructions, verdict.digest, failure);
    const std::lock_guard lock(mutex_);
    coverage_.Merge(coverage);
  }

  // The same of a case on the whole board. One that no machine takes counts as a difference.
  void Check(const std::string& name, BoardCase board_case) {
    if (options_.cycles != 0) board_case.program.cycles = options_.cycles;
    const BoardVerdict verdict = CheckBoardCase(engines_, board_case);
    std::string failure;
    if (!verdict.status.ok()) {
      failure = absl::StrCat(name, ": ", verdict.status.message(), "\n");
    } else if (verdict.mismatch) {
      failure = Explain(name, board_case, *verdict.mismatch);
    }
    Note(name, board_case.seed, verdict.instructions, verdict.digest, failure);
  }

  int Finish() {
    const std::vector<CoveragePair> holes =
        options_.coverage ? coverage_.Holes() : std::vector<CoveragePair>();
    if (options_.coverage) {
      std::cout << coverage_.ToText();
      for (const CoveragePair& hole : holes) {
        std::cout << "never seen: " << alpha::Info(hole.op).mnemonic << " "
                  << ToString(hole.outcome) << "\n";
      }
    }
    std::cout << absl::StrFormat("%d sequences, %d instructions on %s and %s: %d differ\n",
                                 sequences_, instructions_, engines_[0].name, engines_[1].name,
                                 failures_);
    bool written = true;
    if (!options_.verdicts_path.empty()) {
      std::string text;
      for (const auto& [place, line] : verdicts_) text += line;
      written = WriteFile(options_.verdicts_path, text);
    }
    if (failures_ != 0) return kDifferent;
    if (!written) return kUsage;
    return holes.empty() ? kEqual : kHoles;
  }

 private:
  void Work(uint64_t last) {
    for (;;) {
      const uint64_t seed = next_.fetch_add(1);
      if (seed > last || failures_ >= options_.stop_after) return;
      const std::string name = absl::StrCat("seed ", seed);
      if (!options_.board) {
        Check(name, GenerateSequence(seed));
        continue;
      }
      absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed, options_.kind());
      if (board_case.ok()) {
        Check(name, *std::move(board_case));
      } else {
        Note(name, seed, 0, "", absl::StrCat(name, ": ", board_case.status().message(), "\n"));
      }
    }
  }

  // Takes what was found; `failure` is empty when the engines agree.
  void Note(const std::string& name, uint64_t seed, uint64_t instructions,
            const std::string& digest, const std::string& failure) {
    const std::lock_guard lock(mutex_);
    ++sequences_;
    instructions_ += instructions;
    verdicts_[{seed, name}] = failure.empty() ? absl::StrCat(name, " ok ", digest, "\n")
                                              : absl::StrCat(name, " DIFFERENT\n");
    if (failure.empty()) return;
    ++failures_;
    std::cout << failure << std::flush;
  }

  std::string Heading(const std::string& name, const std::string& report) const {
    return absl::StrCat(name, ": engines ", engines_[0].name, " and ", engines_[1].name,
                        " differ\n", report);
  }

  // Keeps a failing case. Returns what to tell of that.
  std::string Save(uint64_t seed, const char* kind, const std::string& contents) const {
    if (options_.save_directory.empty()) return "";
    const std::string path = absl::StrCat(options_.save_directory, "/seed-", seed, kind);
    return WriteFile(path, contents) ? absl::StrCat("saved to ", path, "\n") : "";
  }

  std::string Explain(const std::string& name, const Sequence& sequence,
                      const SequenceMismatch& mismatch) const {
    std::string text = Heading(name, mismatch.report);
    Sequence saved = sequence;
    if (options_.shrink && mismatch.reproduced) {
      saved = ShrinkSequence(engines_, sequence, mismatch);
      absl::StrAppend(&text, "shrunk to:\n", ListSequence(saved));
      const SequenceVerdict again = CheckSequence(engines_, saved, nullptr);
      if (again.mismatch) absl::StrAppend(&text, "where\n", again.mismatch->report);
    }
    return text + Save(sequence.seed, ".sequence", FormatSequence(saved));
  }

  std::string Explain(const std::string& name, const BoardCase& board_case,
                      const BoardMismatch& mismatch) const {
    std::string text = Heading(name, absl::StrCat(mismatch.report, "\n"));
    BoardCase saved = board_case;
    if (options_.shrink) {
      saved = ShrinkBoardCase(engines_, board_case, mismatch);
      absl::StrAppend(&text, "shrunk to:\n", ListBoardCase(saved));
      const BoardVerdict again = CheckBoardCase(engines_, saved);
      if (again.mismatch) absl::StrAppend(&text, "where\n", again.mismatch->report, "\n");
    }
    return text + Save(board_case.seed, ".board", FormatBoardCase(saved));
  }

  const Options& options_;
  std::vector<engines::NamedEngine> engines_;
  std::atomic<uint64_t> next_ = 0;
  std::mutex mutex_;
  std::map<std::pair<uint64_t, std::string>, std::string> verdicts_;  // by seed and name
  SequenceCoverage coverage_;
  uint64_t sequences_ = 0;
  uint64_t instructions_ = 0;
  std::atomic<uint64_t> failures_ = 0;
};

int EmitUserSequences(const std::string& path, uint64_t first, uint64_t last) {
  std::vector<UserSequence> sequences;
  for (uint64_t seed = first; seed <= last; ++seed) sequences.push_back(GenerateUserSequence(seed));
  return WriteFile(path, FormatUserSequences(sequences)) ? kEqual : kUsage;
}

int List(const Options& options, uint64_t first, uint64_t last) {
  for (uint64_t seed = first; seed <= last; ++seed) {
    std::cout << "seed " << seed << "\n";
    if (!options.board) {
      std::cout << ListSequence(GenerateSequence(seed));
      continue;
    }
    const absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed, options.kind());
    if (!board_case.ok()) return UsageError(std::string(board_case.status().message()));
    std::cout << ListBoardCase(*board_case);
  }
  return kEqual;
}

// Checks what a regression file holds. What is wrong with it, or nothing.
absl::Status CheckFile(const std::string& path, Campaign& campaign) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return absl::NotFoundError("cannot be read");
  if (IsBoardCase(text)) {
    absl::StatusOr<BoardCase> board_case = ParseBoardCase(text);
    if (!board_case.ok()) return board_case.status();
    campaign.Check(path, *std::move(board_case));
    return absl::OkStatus();
  }
  absl::StatusOr<Sequence> sequence = ParseSequence(text);
  if (!sequence.ok()) return sequence.status();
  campaign.Check(path, *std::move(sequence));
  return absl::OkStatus();
}

void AddOptions(CLI::App& app, Options& options) {
  app.footer(
      "Exit codes: 0 equal, 1 a hole in the coverage, 2 usage or a bad file, 3 a difference.");
  app.add_option("--engines", options.engines, "the two engines")
      ->type_name("A,B")
      ->default_str(options.engines);
  app.add_option("--seeds", options.seeds, "first and last seed")
      ->type_name("A-B")
      ->default_str(options.seeds);
  app.add_option("--jobs", options.jobs, "sequences at a time")->type_name("N")->default_str("1");
  app.add_option("--cycles", options.cycles, "cycles a sequence instead of the generator's")
      ->type_name("N");
  app.add_flag("--coverage", options.coverage,
               "count instructions and exceptions, print the table; exit code 1 if it has a hole");
  app.add_flag_callback(
      "--no-shrink", [&options] { options.shrink = false; }, "leave failing sequences as they are");
  app.add_flag("--board", options.board,
               "machines with all devices, restored from snapshots, instead of sequences alone");
  app.add_flag("--dma", options.dma, "with --board: a disk writes to memory meanwhile");
  app.add_flag("--cpus", options.cpus,
               "with --board: machines of two to four CPUs, by any schedule");
  app.add_flag("--list", options.list, "disassemble the sequences instead of running them");
  app.add_option("--stop-after", options.stop_after, "end after so many sequences that differ")
      ->type_name("N")
      ->default_str("1");
  app.add_option("--save", options.save_directory, "keep failing sequences in this directory")
      ->type_name("DIR");
  app.add_option("--verdicts", options.verdicts_path, "write a line a sequence to this file")
      ->type_name("FILE");
  app.add_option("--emit-user", options.user_path,
                 "write the user-mode sequences of the seeds to this file and run nothing")
      ->type_name("FILE");
  app.add_option("files", options.files, "regression files to run instead of seeds")
      ->type_name("FILE");
}

int Run(const Options& options) {
  absl::StatusOr<std::vector<engines::NamedEngine>> engines =
      engines::ParseEnginePair(options.engines);
  if (!engines.ok()) return UsageError(std::string(engines.status().message()));
  uint64_t first = 0, last = 0;
  if (!ParseSeeds(options.seeds, first, last)) {
    return UsageError(absl::StrCat("--seeds: '", options.seeds, "' is not A-B"));
  }
  if (options.jobs == 0) return UsageError("--jobs: there is at least 1");
  if (options.board && (options.coverage || !options.user_path.empty())) {
    return UsageError("--board: neither --coverage nor --emit-user is for it");
  }
  if (options.dma && !options.board) return UsageError("--dma: it goes with --board");
  if (options.cpus && !options.board) return UsageError("--cpus: it goes with --board");
  if (options.cpus && options.dma) return UsageError("--cpus: it does not go with --dma");
  if (options.list) return List(options, first, last);
  if (!options.user_path.empty()) return EmitUserSequences(options.user_path, first, last);
  if (!options.save_directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.save_directory, error);
    if (error) return UsageError(absl::StrCat(options.save_directory, ": ", error.message()));
  }
  Campaign campaign(options, *std::move(engines));
  for (const std::string& path : options.files) {
    const absl::Status status = CheckFile(path, campaign);
    if (!status.ok()) return UsageError(absl::StrCat(path, ": ", status.message()));
  }
  if (options.files.empty()) campaign.Run(first, last);
  return campaign.Finish();
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Runs random instruction sequences on two engines and compares them.",
               "random_sequences");
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    return UsageError(absl::StrCat(error.what(), " (see random_sequences --help)"));
  }
  return Run(options);
}

}  // namespace
}  // namespace isochron::conformance

int main(int argc, char** argv) { return isochron::conformance::Main(argc, argv); }
