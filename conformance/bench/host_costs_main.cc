// What a host takes for the parts of which a round on several of its cores would consist: the
// figures that scripts/bench rounds has its model reckon with. Prints them as JSON, in nanoseconds.

#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <limits>
#include <thread>
#include <vector>

namespace isochron::conformance {
namespace {

constexpr uint64_t kPage = 8192, kBlock = 64;
constexpr int kTimes = 100;

// The least that `body` has taken for one of `count` things, in nanoseconds: what else the host
// does only adds to it.
template <typename Body>
double Measure(uint64_t count, Body body) {
  double least = std::numeric_limits<double>::max();
  for (int time = 0; time < kTimes; ++time) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    least = std::min(least, taken.count() / static_cast<double>(count));
  }
  return least;
}

// Processors that this process may use.
uint32_t Cores() {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
  return static_cast<uint32_t>(CPU_COUNT(&usable));
}

// Where threads wait for one another, by spinning; where that takes long, another has the
// processor.
class Barrier {
 public:
  explicit Barrier(uint32_t threads) : threads_(threads) {}
  void Wait() {
    const uint32_t turn = turn_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      turn_.store(turn + 1, std::memory_order_release);
      return;
    }
    constexpr int kSpins = 10'000;
    for (int spin = 0; turn_.load(std::memory_order_acquire) == turn; ++spin) {
      if (spin >= kSpins) std::this_thread::yield();
    }
  }

 private:
  const uint32_t threads_;
  alignas(64) std::atomic<uint32_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> turn_{0};
};

// Threads that meet again and again.
double MeasureBarrier(uint32_t threads) {
  constexpr uint64_t kRounds = 100;
  Barrier barrier(threads);
  const auto meet = [&barrier](uint64_t times) {
    for (uint64_t time = 0; time < times; ++time) barrier.Wait();
  };
  std::vector<std::thread> others;
  for (uint32_t thread = 1; thread < threads; ++thread) others.emplace_back(meet, kTimes * kRounds);
  const double taken = Measure(kRounds, [&meet] { meet(kRounds); });
  for (std::thread& other : others) other.join();
  return taken;
}

// Addresses in a working set, in no order.
std::vector<uint32_t> Addresses(uint64_t count, uint64_t bytes, uint64_t grain) {
  std::vector<uint32_t> addresses(count);
  uint64_t state = 1;
  for (uint32_t& address : addresses) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    address = static_cast<uint32_t>((state >> 33) % (bytes / grain) * grain);
  }
  return addresses;
}

// Keeps what it is given from being left out as useless.
void Keep(uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

double MeasurePageCopy() {
  std::vector<uint8_t> memory(uint64_t{64} << 20, 1);
  std::vector<uint8_t> copies(64 * kPage, 1);
  const std::vector<uint32_t> pages = Addresses(4096, memory.size(), kPage);
  return Measure(pages.size(), [&] {
    for (size_t i = 0; i < pages.size(); ++i) {
      std::memcpy(copies.data() + i % 64 * kPage, memory.data() + pages[i], kPage);
    }
  });
}

// What translated code does for a load (docs/jit.md): a comparison of a tag in a small table, and
// the load. With `marks` it also notes which block has been read, and looks whether the CPU has
// itself written to it.
template <bool marks>
double MeasureLoads() {
  struct Entry {
    uint64_t tag;
    const uint8_t* host;
  };
  const std::vector<uint8_t> memory(256 * 1024, 1);
  std::vector<Entry> entries(256);
  for (uint64_t page = 0; page < entries.size(); ++page) entries[page] = {page % 32, memory.data()};
  std::vector<uint8_t> read(65536), written(65536);
  const std::vector<uint32_t> addresses = Addresses(65536, memory.size(), 8);
  return Measure(addresses.size() * 16, [&] {
    uint64_t sum = 0;
    for (int time = 0; time < 16; ++time) {
      for (const uint32_t address : addresses) {
        const Entry& entry = entries[address / kPage % 256];
        if (entry.tag != address / kPage) [[unlikely]]
          continue;
        if constexpr (marks) {
          const uint64_t block = address / kBlock % 65536;
          if (written[block] != 0) [[unlikely]]
            continue;
          read[block] = 1;
        }
        uint64_t value;
        std::memcpy(&value, entry.host + address, 8);
        sum += value;
      }
    }
    Keep(sum);
  });
}

// Stores to so many blocks, often to each, through a buffer in which they are found by their block;
// and what is there is made good at the end. For one store.
double MeasureBufferedStores(uint64_t blocks, uint64_t times) {
  struct Held {
    uint64_t block = ~uint64_t{0};
    uint64_t bytes = 0;  // which
    std::array<uint8_t, kBlock> data = {};
  };
  std::vector<uint8_t> memory(256 * 1024, 1);
  std::vector<Held> table(8192);
  std::vector<uint32_t> used;
  used.reserve(8192);
  const std::vector<uint32_t> addresses = Addresses(blocks, memory.size(), 8);
  return Measure(blocks * times, [&] {
    for (uint64_t time = 0; time < times; ++time) {
      for (const uint32_t address : addresses) {
        const uint64_t block = address / kBlock;
        Held& held = table[block % table.size()];
        if (held.block != block) [[unlikely]] {
          held.block = block;
          held.bytes = 0;
          used.push_back(static_cast<uint32_t>(block % table.size()));
        }
        held.bytes |= uint64_t{0xff} << address % kBlock;
        std::memcpy(held.data.data() + address % kBlock, &time, 8);
      }
    }
    for (const uint32_t index : used) {
      Held& held = table[index];
      for (uint64_t byte = 0; byte < kBlock; byte += 8) {
        if ((held.bytes >> byte & 0xff) == 0) continue;
        std::memcpy(memory.data() + held.block * kBlock + byte, held.data.data() + byte, 8);
      }
      held.block = ~uint64_t{0};
    }
    used.clear();
  });
}

// The same without a buffer.
double MeasureStores(uint64_t blocks, uint64_t times) {
  std::vector<uint8_t> memory(256 * 1024, 1);
  const std::vector<uint32_t> addresses = Addresses(blocks, memory.size(), 8);
  return Measure(blocks * times, [&] {
    for (uint64_t time = 0; time < times; ++time) {
      for (const uint32_t address : addresses) std::memcpy(memory.data() + address, &time, 8);
      Keep(reinterpret_cast<uintptr_t>(memory.data()));
    }
  });
}

// Whether a block that has been read has been written by others, one after the other.
double MeasureCheck() {
  std::vector<uint64_t> writers(uint64_t{4} << 20);  // by block of 256 MiB: a round and who
  const std::vector<uint32_t> blocks = Addresses(4096, writers.size() / 64, 1);
  return Measure(blocks.size() * 16, [&] {
    uint64_t found = 0;
    for (int time = 0; time < 16; ++time) {
      for (const uint32_t block : blocks) found += writers[block] == 7 ? 1 : 0;
      Keep(found);
    }
  });
}

void Main() {
  const uint32_t cores = Cores();
  std::cout << "{\"cores\": " << cores;
  std::cout << ", \"barrier\": " << (cores > 1 ? MeasureBarrier(std::min(cores, 4u)) : 0);
  std::cout << ", \"page copy\": " << MeasurePageCopy();
  std::cout << ", \"load\": " << MeasureLoads<false>();
  std::cout << ", \"marked load\": " << MeasureLoads<true>();
  std::cout << ", \"store\": " << MeasureStores(256, 64);
  std::cout << ", \"buffered store\": " << MeasureBufferedStores(256, 64);
  std::cout << ", \"buffered block\": " << MeasureBufferedStores(2048, 1);
  std::cout << ", \"check\": " << MeasureCheck() << "}\n";
}

}  // namespace
}  // namespace isochron::conformance

int main() { isochron::conformance::Main(); }
