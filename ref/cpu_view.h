// What an engine derives from the state of one CPU.

#ifndef ISOCHRON_REF_CPU_VIEW_H_
#define ISOCHRON_REF_CPU_VIEW_H_

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
  CpuView(alpha::Memory& memory, alpha::IoBus& io) : context(memory, io) {}
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

  // What handlers work on: the lookasides, and flags that say why a block was left.
  Context context;
  CodePage* page = nullptr;        // where the block that was looked for last was found
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
