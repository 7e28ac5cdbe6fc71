// What the CPUs of a machine have to do with one another within a round (docs/smp.md).

#ifndef ISOCHRON_CONFORMANCE_BENCH_ROUND_METER_H_
#define ISOCHRON_CONFORMANCE_BENCH_ROUND_METER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"
#include "machine/bus/event_queue.h"
#include "machine/events/config.h"

namespace isochron::conformance {

// How closely it is looked whether a turn has read what a turn before it in the same round has
// written: had both been run at once from the state at the beginning of the round, it would have
// read something stale.
enum class Grain : uint8_t {
  kPage,   // any byte of the same page of 8 KiB
  kBlock,  // any byte of the same block of 64 bytes
  kByte,   // a byte that it had not written itself
  kValue,  // such a byte, and it is not what it was at the beginning of the round
};
inline constexpr size_t kGrains = 4;

// One turn of one CPU. Places in it are numbers of instructions that it had retired before.
struct TurnRecord {
  uint64_t round = 0;  // the turns of a round follow one another
  uint32_t cpu = 0;
  uint64_t instructions = 0;  // that it has retired
  uint64_t cycles = 0;
  uint64_t loads = 0;  // references to RAM, without instruction fetches
  uint64_t stores = 0;
  // Different ones; fetches are reads, too.
  uint64_t pages_read = 0;
  uint64_t pages_written = 0;
  uint64_t blocks_read = 0;
  uint64_t blocks_written = 0;
  uint64_t quadwords_written = 0;
  // By Grain: the first read of what a turn before has written, or machine::kNever.
  std::array<uint64_t, kGrains> stale = {machine::kNever, machine::kNever, machine::kNever,
                                         machine::kNever};
  // The first write to a page that a turn before has written, and to such a block.
  uint64_t page_written_again = machine::kNever;
  uint64_t block_written_again = machine::kNever;
  uint64_t device = machine::kNever;  // the first access to I/O space
  // What a turn before has changed of what the CPU was at the beginning of the round.
  bool interrupts_changed = false;  // the pins
  bool lock_lost = false;
  bool horizon_moved = false;  // it is nearer than it was
};

// Is told of all that CPUs read and write, in the order in which it happens, and makes a record of
// each turn.
class RoundMeter final : public alpha::MemoryListener {
 public:
  // Takes note of what all of `memory` holds, which should be at the beginning of a round. It is to
  // end before `memory`, or have its end told.
  explicit RoundMeter(alpha::Memory& memory);
  ~RoundMeter() override { End(); }
  RoundMeter(const RoundMeter&) = delete;
  RoundMeter& operator=(const RoundMeter&) = delete;

  // A round begins; the one before has ended. The CPUs, by their numbers, are as it finds them.
  void BeginRound(const std::vector<const alpha::Cpu*>& cpus);
  // The last round has ended: nothing more is measured.
  void End();

  // The CPU goes on with its turn, or begins it, up to the horizon.
  void Resume(const alpha::Cpu& cpu, uint64_t horizon);
  // It stands at a boundary, behind the last reference of which it has been told.
  void Pause(const alpha::Cpu& cpu);

  // Between Resume() and Pause(): an instruction, whose CPU is as it was before it, is fetched from
  // `pa`, and has made a reference, after which memory is as it is. References are aligned, of at
  // most 8 bytes, and in RAM.
  void Fetch(const alpha::Cpu& cpu, uint64_t pa);
  void Read(uint64_t pa, uint64_t size);
  void Write(uint64_t pa, uint64_t size);
  // Or an access to I/O space.
  void Device(uint64_t pa);

  uint64_t rounds() const { return round_; }
  // Instructions of all turns that have ended.
  uint64_t instructions() const { return instructions_; }
  // In the order in which they were.
  const std::vector<TurnRecord>& turns() const { return turns_; }
  // By the address of the block: in how many turns the first byte read that a turn before has
  // written was there.
  const std::map<uint64_t, uint64_t>& stale_blocks() const { return stale_blocks_; }
  // How often each address of I/O space has been accessed.
  const std::map<uint64_t, uint64_t>& devices() const { return devices_; }

 private:
  static constexpr uint64_t kBlock = alpha::Cpu::kLockBlock;
  static constexpr size_t kCpus = machine::MachineConfig::kMaxCpus;

  // Who has read and written it in a round: bits by the numbers of CPUs.
  struct Use {
    uint64_t round = 0;
    uint8_t readers = 0;
    uint8_t writers = 0;
  };
  struct QuadwordUse {
    uint64_t round = 0;
    std::array<uint8_t, kCpus> written = {};  // by CPU: a bit for each byte
  };
  struct Page {
    Use use;
    std::array<Use, alpha::kPageSize / kBlock> blocks;
    std::array<QuadwordUse, alpha::kPageSize / 8> quadwords;
    std::array<uint8_t, alpha::kPageSize> before = {};  // what it held as the round began
  };
  // What a CPU was at the beginning of the round.
  struct Beginning {
    uint8_t pins = 0;
    bool locked = false;
  };

  void OnDeviceWrite(uint64_t pa, uint64_t size) override;

  Page& PageOf(uint64_t pa);
  // As of this round.
  template <typename T>
  T& Now(T& use) const {
    if (use.round != round_) {
      use = T();
      use.round = round_;
    }
    return use;
  }
  uint8_t bit() const { return static_cast<uint8_t>(1 << turn_.cpu); }
  // Notes that this happens now, if it is the first time in the turn.
  void NoteFirst(uint64_t& place) const {
    if (place == machine::kNever) place = at_;
  }
  void NoteRead(uint64_t pa, uint64_t size);
  // Whether these bytes of a quadword, of which the bits are set in `bytes`, are not what they
  // were.
  bool HaveChanged(const Page& page, uint64_t quadword, uint8_t bytes) const;
  void EndTurn();
  void EndRound();

  alpha::Memory& memory_;
  std::vector<std::unique_ptr<Page>> pages_;  // by number; nullptr: zero as the round began
  std::vector<uint64_t> written_;             // quadwords, in this round
  std::array<Beginning, kCpus> beginnings_;
  uint64_t round_ = 0;
  uint64_t horizon_ = machine::kNever;  // as the first turn of the round had it

  bool ended_ = false;
  bool in_turn_ = false;
  TurnRecord turn_;
  uint64_t first_instruction_ = 0;  // Cpu::instructions and cycle where the turn began
  uint64_t first_cycle_ = 0;
  uint64_t at_ = 0;  // the place in the turn
  uint64_t fetched_ =
      machine::kNever;  // the quadword of the last fetch, unless something was written since

  uint64_t instructions_ = 0;
  std::vector<TurnRecord> turns_;
  std::map<uint64_t, uint64_t> stale_blocks_;
  std::map<uint64_t, uint64_t> devices_;
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_BENCH_ROUND_METER_H_
