#include "timeline/memory_snapshots.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace isochron::timeline {
namespace {

// What is farther away than an eighth of the run is all alike.
constexpr double kFar = 8;
// Snapshots lie at most so many times as far from each other as they would if they lay evenly: what
// is left is for what is near.
constexpr double kWidest = 4;

}  // namespace

MemorySnapshots::MemorySnapshots(machine::Machine& machine, uint64_t max_bytes)
    : machine_(machine), max_bytes_(max_bytes) {
  const uint64_t pages = machine.memory().size() >> alpha::kPageShift;
  latest_.resize((pages + kChunkPages - 1) / kChunkPages);
  latest_digests_.resize(pages);
}

// Pages and chunks that go tell how many there are left, so they go before the counters.
MemorySnapshots::~MemorySnapshots() {
  snapshots_.clear();
  latest_.clear();
}

void MemorySnapshots::Clear() {
  snapshots_.clear();
  state_bytes_ = 0;
  kept_.reset();
  std::fill(latest_.begin(), latest_.end(), nullptr);
  std::fill(latest_digests_.begin(), latest_digests_.end(), machine::Digest());
  pool_.Release();
}

void MemorySnapshots::SetMaxBytes(uint64_t max_bytes) {
  max_bytes_ = max_bytes;
  MakeRoom(machine_.moment());
}

uint64_t MemorySnapshots::bytes() const {
  const uint64_t tables = snapshots_.size() * latest_.size() * sizeof(PageTable::value_type);
  uint64_t blocks = 0;
  for (const machine::Disk& disk : machine_.disks()) {
    blocks += disk.written().family_bytes() - disk.written().bytes();
  }
  return live_pages_ * sizeof(Page) + live_chunks_ * sizeof(Chunk) + tables + state_bytes_ + blocks;
}

std::shared_ptr<const MemorySnapshots::Page> MemorySnapshots::KeepPage(
    uint64_t number, const machine::Digest& digest) {
  if (digest == machine::Digest{}) return nullptr;
  ++live_pages_;
  std::shared_ptr<Page> page(new (pool_.Take()) Page(digest), [this](Page* gone) {
    --live_pages_;
    pool_.Give(gone);
  });
  std::memcpy(page->bytes.data(), machine_.memory().host(number << alpha::kPageShift),
              alpha::kPageSize);
  return page;
}

void MemorySnapshots::Follow() {
  const std::vector<machine::Digest>& digests = machine_.UpdateMemoryDigest().pages();
  for (size_t chunk = 0; chunk < latest_.size(); ++chunk) {
    const size_t first = chunk * kChunkPages;
    const size_t end = std::min(first + kChunkPages, digests.size());
    std::shared_ptr<Chunk> changed;
    for (size_t page = first; page < end; ++page) {
      if (digests[page] == latest_digests_[page]) continue;
      if (changed == nullptr) {
        ++live_chunks_;
        changed.reset(latest_[chunk] != nullptr ? new Chunk(*latest_[chunk]) : new Chunk(),
                      [this](Chunk* gone) {
                        --live_chunks_;
                        delete gone;
                      });
      }
      (*changed)[page - first] = KeepPage(page, digests[page]);
      latest_digests_[page] = digests[page];
    }
    if (changed != nullptr) latest_[chunk] = std::move(changed);
  }
}

MemorySnapshots::List::const_iterator MemorySnapshots::Behind(uint64_t moment) const {
  return std::partition_point(
      snapshots_.begin(), snapshots_.end(),
      [moment](const std::unique_ptr<const Snapshot>& one) { return one->moment() <= moment; });
}

MemorySnapshots::List::const_iterator MemorySnapshots::At(uint64_t moment) const {
  const auto behind = Behind(moment);
  const bool there = behind != snapshots_.begin() && (*std::prev(behind))->moment() == moment;
  return there ? std::prev(behind) : snapshots_.end();
}

void MemorySnapshots::Take(const Replayer::Place& place) {
  const uint64_t here = machine_.moment();
  if (At(here) != snapshots_.end()) return;
  Follow();
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->moment_ = here;
  snapshot->cycle_ = machine_.now();
  snapshot->device_time_ = machine_.device_time();
  snapshot->quiet_until_ = machine_.quiet_until();
  farthest_ = std::max(farthest_, here);
  snapshot->instructions_ = machine_.Instructions();
  for (int cpu = 0; cpu < machine_.cpu_count(); ++cpu) {
    snapshot->cpu_cycles_[static_cast<size_t>(cpu)] = machine_.cpu(cpu).cycle;
    snapshot->cpu_instructions_[static_cast<size_t>(cpu)] = machine_.cpu(cpu).instructions;
  }
  snapshot->place_ = place;
  snapshot->without_memory_ = machine_.SaveWithoutMemory();
  snapshot->pages_ = latest_;
  for (const machine::Disk& disk : machine_.disks()) snapshot->disks_.push_back(disk.written());
  state_bytes_ += snapshot->without_memory_.size();
  snapshots_.insert(Behind(here), std::move(snapshot));
  MakeRoom(here);
}

void MemorySnapshots::TakeAgain(const Replayer::Place& place) {
  if (const auto found = At(machine_.moment()); found != snapshots_.end()) Drop(found);
  Take(place);
}

void MemorySnapshots::DropBehind(uint64_t moment) {
  for (auto one = Behind(moment); one != snapshots_.end();) one = Drop(one);
  farthest_ = std::min(farthest_, moment);
}

MemorySnapshots::List::const_iterator MemorySnapshots::Drop(List::const_iterator snapshot) {
  state_bytes_ -= (*snapshot)->without_memory_.size();
  return snapshots_.erase(snapshot);
}

void MemorySnapshots::MakeRoom(uint64_t here) {
  while (snapshots_.size() > kMinCount && (snapshots_.size() > kMaxCount || bytes() > max_bytes_)) {
    // The first stays, or there would be no way back to it.
    auto least = snapshots_.cend();
    double least_loss = std::numeric_limits<double>::infinity();
    const auto whole = static_cast<double>(farthest_ + 1);
    const double widest = kWidest * whole / static_cast<double>(snapshots_.size());
    for (auto one = std::next(snapshots_.cbegin()); one != snapshots_.cend(); ++one) {
      const uint64_t moment = (*one)->moment();
      if (moment == here || moment == kept_) continue;
      const auto next = std::next(one);
      const uint64_t until = next == snapshots_.cend() ? farthest_ : (*next)->moment();
      const auto gap = static_cast<double>(until - (*std::prev(one))->moment());
      const uint64_t distance = moment > here ? moment - here : here - moment;
      double loss = gap * (1 / (static_cast<double>(distance) + 1) + kFar / whole);
      if (gap > widest) loss *= whole;  // only where all are
      if (loss < least_loss) {
        least_loss = loss;
        least = one;
      }
    }
    if (least == snapshots_.cend()) return;
    Drop(least);
  }
}

void MemorySnapshots::WritePages(const Snapshot& snapshot, alpha::Memory& memory) {
  const std::vector<machine::Digest>& digests = machine_.memory_digest().pages();
  for (size_t page = 0; page < digests.size(); ++page) {
    const Chunk* const chunk = snapshot.pages_[page / kChunkPages].get();
    if (chunk == latest_[page / kChunkPages].get() && digests[page] == latest_digests_[page]) {
      continue;
    }
    const Page* const wanted = chunk != nullptr ? (*chunk)[page % kChunkPages].get() : nullptr;
    const machine::Digest digest = wanted != nullptr ? wanted->digest : machine::Digest{};
    latest_digests_[page] = digest;
    if (digests[page] == digest) continue;
    const uint64_t pa = uint64_t{page} << alpha::kPageShift;
    if (wanted != nullptr) {
      memory.Write(pa, wanted->bytes.data(), alpha::kPageSize);
    } else {
      memory.Clear(pa, alpha::kPageSize);
    }
  }
  latest_ = snapshot.pages_;
}

absl::Status MemorySnapshots::Restore(const Snapshot& snapshot) {
  machine_.UpdateMemoryDigest();
  absl::Status status = machine_.RestoreOver(
      [&](alpha::Memory& memory, std::span<machine::Disk> disks) -> absl::StatusOr<std::string> {
        WritePages(snapshot, memory);
        for (size_t i = 0; i < disks.size(); ++i) disks[i].SetWritten(snapshot.disks_[i]);
        return snapshot.without_memory_;
      });
  machine_.SetQuietUntil(snapshot.quiet_until_);
  if (status.ok()) return status;
  return absl::DataLossError(
      absl::StrCat("a snapshot in memory cannot be restored: ", std::string(status.message())));
}

const MemorySnapshots::Snapshot* MemorySnapshots::FindAtOrBefore(uint64_t moment) const {
  const auto behind = Behind(moment);
  return behind == snapshots_.begin() ? nullptr : std::prev(behind)->get();
}

const MemorySnapshots::Snapshot* MemorySnapshots::FindLast(
    const std::function<bool(const Snapshot&)>& holds) const {
  if (snapshots_.empty()) return nullptr;
  const auto behind = std::partition_point(
      std::next(snapshots_.begin()), snapshots_.end(),
      [&holds](const std::unique_ptr<const Snapshot>& one) { return holds(*one); });
  return std::prev(behind)->get();
}

const MemorySnapshots::Snapshot* MemorySnapshots::FindBehind(uint64_t moment) const {
  const auto behind = Behind(moment);
  return behind == snapshots_.end() ? nullptr : behind->get();
}

}  // namespace isochron::timeline
