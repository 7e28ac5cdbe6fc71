// Numbers of the format: versions, limits, types of records. docs/replay-log.md is the definition.

#ifndef ISOCHRON_REPLAYLOG_FORMAT_H_
#define ISOCHRON_REPLAYLOG_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isochron::replaylog {

inline constexpr std::string_view kMagic = "ISOCHLOG";
inline constexpr uint32_t kFormatMajor = 2;
// The oldest version that is still read: it knows no ports, and no other input than bytes for UART
// 0.
inline constexpr uint32_t kOldestFormatMajor = 1;
inline constexpr uint32_t kFormatMinor = 0;

// Limits that a reader may rely on; a log that exceeds one is damaged.
inline constexpr size_t kMaxHeaderBytes = 64 << 10;         // content of the header frame
inline constexpr size_t kMaxPayloadBytes = (1 << 20) + 64;  // payload of one record
inline constexpr size_t kMaxFrameBytes = 2 << 20;           // content of one event frame
inline constexpr size_t kMaxOutputRun = 4096;               // bytes in one output record
inline constexpr size_t kMaxInputBytes = 1 << 20;           // bytes in one input record
inline constexpr size_t kMaxInputsPerCycle = 64;            // input records of one cycle

// Types of records, as record_table.h lists them. Those below kFirstWitness are inputs, which must
// be understood; the others may be skipped.
enum class RecordType : uint8_t {
  kFrameStart = 0,
  kFirstWitness = 64,
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_FORMAT_H_
