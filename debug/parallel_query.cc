#include "debug/parallel_query.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "hostio/thread.h"

namespace isochron::debug {
namespace {

// What has become of one part.
struct Outcome {
  bool done = false;
  std::vector<Sighting> seen;
  absl::Status status;
  const Searcher* searcher = nullptr;
};

// Parts are taken in order, searched by whoever is free, and told in order.
class PartList {
 public:
  // `last`: only the last that is seen in a part is kept.
  PartList(const std::vector<QueryRange>& parts, size_t searchers, bool last)
      : parts_(parts), ahead_(2 * searchers), last_(last), outcomes_(parts.size()) {}

  // A searcher's thread: searches one part after the other until there are no more.
  void Search(const Searcher& searcher) {
    searcher.timeline->SetInterrupt([this] { return stopped_.load(); });
    while (const std::optional<size_t> part = Take()) {
      Outcome outcome;
      outcome.searcher = &searcher;
      outcome.status = SearchRange(*searcher.timeline, *searcher.query, parts_[*part],
                                   [&](const Sighting& sighting) {
                                     if (last_) outcome.seen.clear();
                                     outcome.seen.push_back(sighting);
                                     return true;
                                   });
      outcome.done = true;
      const std::lock_guard<std::mutex> lock(mutex_);
      outcomes_[*part] = std::move(outcome);
      changed_.notify_all();
    }
    searcher.timeline->SetInterrupt(nullptr);
  }

  // The outcome of a part, once it is there. Parts are to be asked for in order.
  Outcome Await(size_t part) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return outcomes_[part].done; });
    told_ = part + 1;
    changed_.notify_all();
    return std::exchange(outcomes_[part], Outcome());
  }

  // Has all searchers end.
  void Stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  std::optional<size_t> Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock,
                  [&] { return stopped_ || next_ == parts_.size() || next_ < told_ + ahead_; });
    if (stopped_ || next_ == parts_.size()) return std::nullopt;
    return next_++;
  }

  const std::vector<QueryRange>& parts_;
  const size_t ahead_;  // parts that may be searched before they can be told
  const bool last_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopped_ = false;
  size_t next_ = 0;
  size_t told_ = 0;
  std::vector<Outcome> outcomes_;
};

// Has the searchers search, each on a thread, while `tell` tells what they find; and ends them.
absl::Status SideBySide(const std::vector<Searcher>& searchers, PartList& list,
                        const std::function<absl::Status()>& tell) {
  std::vector<std::thread> threads;
  absl::Status status;
  for (const Searcher& searcher : searchers) {
    absl::StatusOr<std::thread> thread =
        hostio::StartThread([&list, &searcher] { list.Search(searcher); });
    if (!thread.ok()) {
      status = thread.status();
      break;
    }
    threads.push_back(*std::move(thread));
  }
  if (status.ok()) status = tell();
  list.Stop();
  for (std::thread& thread : threads) thread.join();
  return status;
}

}  // namespace

std::vector<QueryRange> CutRange(const QueryRange& range, const std::vector<uint64_t>& cuts) {
  std::vector<QueryRange> parts = {range};
  for (const uint64_t cut : cuts) {
    QueryRange& last = parts.back();
    if (cut <= last.from || cut >= last.to) continue;
    parts.push_back({cut, std::exchange(last.to, cut)});
  }
  return parts;
}

absl::Status SearchInParts(std::vector<Searcher>& searchers, const std::vector<QueryRange>& parts,
                           const std::function<bool(const Sighting&)>& take,
                           const Searcher** failed) {
  PartList list(parts, searchers.size(), /*last=*/false);
  return SideBySide(searchers, list, [&] {
    for (size_t part = 0; part < parts.size(); ++part) {
      const Outcome outcome = list.Await(part);
      for (const Sighting& sighting : outcome.seen) {
        if (!take(sighting)) return absl::OkStatus();
      }
      if (outcome.status.ok()) continue;
      *failed = outcome.searcher;
      return outcome.status;
    }
    return absl::OkStatus();
  });
}

absl::Status RunQueryInParts(std::vector<Searcher>& searchers, const std::vector<QueryRange>& parts,
                             const AnswerOptions& options, const AnswerSink& sink,
                             const Searcher** failed) {
  Query& teller = *searchers.front().query;
  return TellAnswers(teller, options, sink, [&](Answers& answers) {
    const auto tell = [&](const Sighting& sighting) {
      teller.Tell(sighting, answers);
      return answers.wanted();
    };
    return SearchInParts(searchers, parts, tell, failed);
  });
}

absl::Status RunQueryBackwardsInParts(std::vector<Searcher>& searchers,
                                      std::vector<QueryRange> parts, const AnswerOptions& options,
                                      const AnswerSink& sink, const Searcher** failed) {
  Query& teller = *searchers.front().query;
  std::reverse(parts.begin(), parts.end());
  PartList list(parts, searchers.size(), /*last=*/true);
  return SideBySide(searchers, list, [&] {
    return TellAnswers(teller, options, sink, [&](Answers& answers) {
      for (size_t part = 0; part < parts.size(); ++part) {
        const Outcome outcome = list.Await(part);
        if (!outcome.status.ok()) {
          *failed = outcome.searcher;
          return outcome.status;
        }
        if (outcome.seen.empty()) continue;
        teller.Tell(outcome.seen.back(), answers);
        break;
      }
      return absl::OkStatus();
    });
  });
}

}  // namespace isochron::debug
