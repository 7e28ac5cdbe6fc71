// What an engine derives from the state of one CPU.

#ifndef ISOCHRON_REF_CPU_VIEW_H_
#define ISOCHRON_REF_CPU_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "alpha/engine.h"
#include "alpha/memory.h"
#include "ref/context.h"

namespace isochron::ref {

class CodePage;

// Where the virtual pages of one CPU are, as a BlockLoop remembers them. Each CPU has its own,
// which lasts while others have their turns: what these do to memory is noted, and made good by
// CatchUp() before the CPU goes on.
class CpuView {
 public:
  // No virtual page has this tag.
  static constexpr uint64_t kNoTag = 7;
  // Which page a virtual page is fetched from: a subset of what ITB and superpages allow.
  struct FetchEntry {
    uint64_t tag;
    CodePage* page;
  };
  static constexpr size_t kFetchEntries = 256;

  CpuView(alpha::Memory& memory, alpha::IoBus& io) : context(memory, io) { ForgetFetches(); }
  virtual ~CpuView() = default;  // engines add to it
  CpuView(const CpuView&) = delete;
  CpuView& operator=(const CpuView&) = delete;

  void ForgetFetches();

  // While another CPU runs: none of the translations of data may be used any more, those for writes
  // may not, or those for writes to one page of RAM.
  void LoseData() { lost_ = Lost::kAll; }
  void LoseWrites() {
    if (lost_ == Lost::kNothing) lost_ = Lost::kWrites;
  }
  void LoseWritesTo(uint64_t pa);
  void ForgetLocked() { locked_.clear(); }
  // Whether CatchUp() has anything to do.
  bool is_behind() const { return lost_ != Lost::kNothing || !locked_.empty(); }
  // Forgets what has been lost; pages that may be written at once again are not.
  void CatchUp();

  // What handlers work on: the lookaside, and flags that say why a block was left.
  Context context;
  std::array<FetchEntry, kFetchEntries> fetches;
  CodePage* page = nullptr;  // where `page_tag` is fetched from
  uint64_t page_tag = kNoTag;
  std::vector<uint64_t> clear_of;  // PCs into whose pages nothing leads past the loop

 private:
  enum class Lost : uint8_t { kNothing, kWrites, kAll };
  // More pages than that are as many as all.
  static constexpr size_t kMostPages = 8;

  Lost lost_ = Lost::kNothing;
  std::vector<uint64_t> locked_;  // pages of LoseWritesTo()
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_CPU_VIEW_H_
