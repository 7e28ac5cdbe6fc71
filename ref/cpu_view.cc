#include "ref/cpu_view.h"

#include <algorithm>

namespace isochron::ref {

void CpuView::ForgetFetches() {
  context.fetches.FlushPlaces();
  context.fetch_changed = false;
  context.code_written = false;
}

void CpuView::LoseWritesTo(uint64_t pa) {
  const uint64_t lost = pa & ~alpha::kPageMask;
  if (std::find(locked_.begin(), locked_.end(), lost) != locked_.end()) return;
  if (locked_.size() == kMostPages) {
    locked_.clear();
    LoseWrites();
  }
  locked_.push_back(lost);
}

void CpuView::CatchUp() {
  if (lost_ == Lost::kAll) {
    context.lookaside.Flush();
  } else if (lost_ == Lost::kWrites) {
    context.lookaside.FlushWrites();
  } else {
    for (const uint64_t pa : locked_) {
      if (!context.memory.IsPlain(pa)) context.lookaside.FlushWritesTo(context.memory.host(pa));
    }
  }
  lost_ = Lost::kNothing;
  locked_.clear();
}

}  // namespace isochron::ref
