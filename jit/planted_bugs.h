// Faults that the planted variant of the translator has (cmake/variants.cmake), to show that
// conformance finds each.

#ifndef ISOCHRON_JIT_PLANTED_BUGS_H_
#define ISOCHRON_JIT_PLANTED_BUGS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#ifndef ISOCHRON_PLANTED
#error "a source with sites belongs to both variants of its library: name it behind SITES"
#endif

namespace isochron::jit {

// The faults: enumerator and name. What each does stands at its Planted() and, with what finds it,
// in docs/conformance.md.
#define ISOCHRON_PLANTED_BUGS_OF_JIT(BUG)                  \
  /* Results of single instructions. */                    \
  BUG(kAddlNotExtended, "addl-not-extended")               \
  BUG(kCarryForOverflow, "carry-for-overflow")             \
  BUG(kUmulhSigned, "umulh-signed")                        \
  BUG(kShiftOf32, "shift-of-32")                           \
  BUG(kCmovInverted, "cmov-inverted")                      \
  BUG(kSextbUnsigned, "sextb-unsigned")                    \
  BUG(kZapLosesByte7, "zap-loses-byte-7")                  \
  BUG(kMaskHighOneBitOff, "mask-high-one-bit-off")         \
  BUG(kDisplacementUnsigned, "displacement-unsigned")      \
  BUG(kRpccAtBlockStart, "rpcc-at-block-start")            \
  /* Floating point. */                                    \
  BUG(kRoundingIgnored, "rounding-ignored")                \
  BUG(kCvttqRounds, "cvttq-rounds")                        \
  BUG(kCvtqlOverflowMissed, "cvtql-overflow-missed")       \
  BUG(kSingleNotRounded, "single-not-rounded")             \
  BUG(kMxcsrFlagIgnored, "mxcsr-flag-ignored")             \
  BUG(kResultNotChecked, "result-not-checked")             \
  BUG(kNormalAfterSlowPath, "normal-after-slow-path")      \
  BUG(kFpcrInexactLost, "fpcr-inexact-lost")               \
  BUG(kFpcrSummaryLost, "fpcr-summary-lost")               \
  BUG(kFloatNotSaved, "float-not-saved")                   \
  BUG(kFenIgnored, "fen-ignored")                          \
  /* Memory. */                                            \
  BUG(kLdlNotExtended, "ldl-not-extended")                 \
  BUG(kAlignmentNotChecked, "alignment-not-checked")       \
  BUG(kLdqUNotMasked, "ldq_u-not-masked")                  \
  BUG(kGroupEndNotChecked, "group-end-not-checked")        \
  BUG(kGroupAlignedAsFirst, "group-aligned-as-first")      \
  BUG(kStaleDataContext, "stale-data-context")             \
  BUG(kLockNotCleared, "lock-not-cleared")                 \
  BUG(kPageNotMarkedDirty, "page-not-marked-dirty")        \
  BUG(kCodeStoreNotSeen, "code-store-not-seen")            \
  /* PALcode. */                                           \
  BUG(kShadowBankIgnored, "shadow-bank-ignored")           \
  BUG(kCallPalLinkUnshadowed, "call_pal-link-unshadowed")  \
  BUG(kPalCallNotCounted, "pal-call-not-counted")          \
  BUG(kHwLdNotAligned, "hw_ld-not-aligned")                \
  BUG(kVpteAlwaysQuadword, "vpte-always-quadword")         \
  BUG(kVaFormOneBitShort, "va_form-one-bit-short")         \
  BUG(kDtbInvalidateSkipped, "dtb-invalidate-skipped")     \
  BUG(kInterruptLate, "interrupt-late")                    \
  BUG(kCounterInterruptMissed, "counter-interrupt-missed") \
  BUG(kCountsAtSliceStart, "counts-at-slice-start")        \
  /* Registers of a region. */                             \
  BUG(kFlagsOutliveCompare, "flags-outlive-compare")       \
  BUG(kCopyOutlivesWrite, "copy-outlives-write")           \
  BUG(kCopyNotReloaded, "copy-not-reloaded")               \
  BUG(kDirtyNotStored, "dirty-not-stored")                 \
  BUG(kDeadStoreTooEager, "dead-store-too-eager")          \
  /* Time, and which code runs. */                         \
  BUG(kBranchCostsTooMuch, "branch-costs-too-much")        \
  BUG(kBlockAtDeadline, "block-at-deadline")               \
  BUG(kIoDoesNotLeave, "io-does-not-leave")                \
  BUG(kOldCodeGoesOn, "old-code-goes-on")                  \
  BUG(kLinksOutliveCode, "links-outlive-code")             \
  BUG(kGoldenOutlivesCode, "golden-outlives-code")         \
  BUG(kExitLinkedAnywhere, "exit-linked-anywhere")         \
  BUG(kAsnNotInContext, "asn-not-in-context")              \
  BUG(kAliasIgnored, "alias-ignored")                      \
  /* Several CPUs. */                                      \
  BUG(kLockOutlivesStore, "lock-outlives-store")           \
  BUG(kCodeOutlivesOther, "code-outlives-other")

enum class Bug : uint8_t {
  kNone,
#define ISOCHRON_BUG(enumerator, name) enumerator,
  ISOCHRON_PLANTED_BUGS_OF_JIT(ISOCHRON_BUG)
#undef ISOCHRON_BUG
};

#if ISOCHRON_PLANTED

// The fault of the engine that this thread runs or makes.
inline thread_local Bug running_bug = Bug::kNone;

// Whether the running engine is to make this mistake.
inline bool Planted(Bug bug) { return bug == running_bug; }

// While it lives, this thread runs or makes an engine with that fault.
class BugScope {
 public:
  explicit BugScope(Bug bug) : outer_(std::exchange(running_bug, bug)) {}
  ~BugScope() { running_bug = outer_; }
  BugScope(const BugScope&) = delete;
  BugScope& operator=(const BugScope&) = delete;

 private:
  Bug outer_;
};

// What an engine knows of its fault: the one with which it was made.
class PlantedBug {
 public:
  // While it lives, this thread runs that engine.
  BugScope Run() const { return BugScope(bug_); }

 private:
  Bug bug_ = running_bug;
};

// For Bug::kCodeOutlivesOther: in which turns of a CPU there is code that another one has written.
class PlantedStaleTurns {
 public:
  // A turn begins, before which fetches of the CPU were lost, if they were, and the code cache had
  // been flushed so often.
  void Begin(uint32_t cpu, bool fetches_lost, uint64_t flushes) {
    others_wrote_ = fetches_lost && flushes_[cpu] == flushes;
  }
  void End(uint32_t cpu, uint64_t flushes) { flushes_[cpu] = flushes; }
  // Whether this turn has begun behind a store to code by another CPU; once.
  bool TakeOthersWrote() { return std::exchange(others_wrote_, false); }

 private:
  std::array<uint64_t, 4> flushes_ = {};
  bool others_wrote_ = false;
};

// The fault of that name.
inline std::optional<Bug> FindBug(std::string_view name) {
#define ISOCHRON_BUG(enumerator, text) \
  if (name == text) return Bug::enumerator;
  ISOCHRON_PLANTED_BUGS_OF_JIT(ISOCHRON_BUG)
#undef ISOCHRON_BUG
  return std::nullopt;
}

#else

constexpr bool Planted(Bug) { return false; }

struct PlantedBug {
  struct Nothing {
    constexpr ~Nothing() {}  // a scope, for the compiler, too
  };
  static constexpr Nothing Run() { return {}; }
};

struct PlantedStaleTurns {
  static constexpr void Begin(uint32_t, bool, uint64_t) {}
  static constexpr void End(uint32_t, uint64_t) {}
  static constexpr bool TakeOthersWrote() { return false; }
};

#endif

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_PLANTED_BUGS_H_
