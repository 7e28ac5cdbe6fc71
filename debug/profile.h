// Profiles of a run as people and their programs read them.

#ifndef ISOCHRON_DEBUG_PROFILE_H_
#define ISOCHRON_DEBUG_PROFILE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "debug/call_tree.h"
#include "debug/profiler.h"
#include "debug/symbols.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// What the rows of a profile's table are.
enum class ProfileBy : uint8_t { kFunction, kLine, kPc, kStack, kMode, kAsn };
// "function", "line", "pc", "stack", "mode", "asn".
std::string_view ProfileByName(ProfileBy by);
inline constexpr ProfileBy kProfileBys[] = {ProfileBy::kFunction, ProfileBy::kLine,
                                            ProfileBy::kPc,       ProfileBy::kStack,
                                            ProfileBy::kMode,     ProfileBy::kAsn};

// What a profile adds up.
enum class ProfileWeight : uint8_t { kCycles, kInstructions };

// The profile of a range of a run. It does not depend on the engine.
class Profile {
 public:
  // Runs the timeline through a range of cycles, from the first boundary at or past `from` to the
  // first at or past `to`, and counts. Errors are those of the timeline, and ResourceExhausted for
  // a guest that nobody can keep count of. `symbols` must outlive the profile.
  // `cpu`: of that one alone.
  static absl::StatusOr<Profile> Of(timeline::Timeline& timeline, const Symbols& symbols,
                                    uint64_t from, uint64_t to, std::optional<int> cpu = {});
  // The same, with what each CPU executed in each span of so many cycles, which `take` is given in
  // order with the cycle of its beginning.
  using SpanSink = std::function<void(int cpu, uint64_t cycle, const ModeCycles& cycles)>;
  static absl::StatusOr<Profile> Of(timeline::Timeline& timeline, const Symbols& symbols,
                                    uint64_t from, uint64_t to, std::optional<int> cpu,
                                    uint64_t span, const SpanSink& take);

  // The counted range, in cycles of machine time.
  uint64_t from() const { return from_; }
  uint64_t to() const { return to_; }
  Counts total() const { return profiler_->total(); }
  const CallTree& tree() const { return profiler_->tree(); }
  const Functions& functions() const { return *functions_; }
  // What all below a node have, and it itself.
  const std::vector<Counts>& totals() const { return totals_; }

  // Takes a line without its end.
  using LineSink = std::function<void(std::string_view line)>;
  // Rows of text below a heading, or JSON objects; those with the most cycles first.
  void WriteTable(ProfileBy by, bool json, const LineSink& sink) const;
  // "main;parse;read 4711": a line for each stack, as flamegraph.pl and inferno read them.
  void WriteFolded(ProfileWeight weight, const LineSink& sink) const;
  // A file for https://www.speedscope.app, in a line.
  void WriteSpeedscope(std::string_view title, const LineSink& sink) const;
  // A page that needs nothing else (debug/flame_page.cc).
  void WriteFlamePage(std::string_view title, const LineSink& sink) const;

 private:
  Profile() = default;

  // "kernel", "idle": of what a node counts for itself.
  std::string ModeOf(const CallTree::Node& node) const;
  // "main;parse;read".
  std::string StackOf(uint32_t node) const;
  // The nodes below each, in the order in which they were reached first.
  std::vector<std::vector<uint32_t>> Children() const;
  void AddTotals();
  struct TableRow;
  static std::vector<TableRow> RowsOf(const std::map<std::string, Counts>& counts);
  std::vector<TableRow> RowsByFunction() const;
  std::vector<TableRow> RowsByStack() const;
  std::vector<TableRow> RowsByMode() const;
  std::vector<TableRow> RowsByAsn() const;
  std::vector<TableRow> RowsByPc() const;
  std::vector<TableRow> RowsByLine() const;
  std::vector<TableRow> RowsBy(ProfileBy by) const;

  const Symbols* symbols_ = nullptr;
  uint64_t from_ = 0;
  uint64_t to_ = 0;
  std::unique_ptr<Functions> functions_;
  std::unique_ptr<Profiler> profiler_;
  std::vector<Counts> totals_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_PROFILE_H_
