#include "replaylog/record_reference.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;

TEST(RecordReference, PythonsTableIsUpToDate) {
  EXPECT_TRUE(ReadBytes(ISOCHRON_SOURCE_DIR "/python/isochron/records.py") == PythonRecords())
      << "run: record_reference python > python/isochron/records.py";
}

TEST(RecordReference, TablesInTheDocumentsAreUpToDate) {
  // Nothing but these rows between the first row of each table and its last.
  const std::string text = ReadBytes(ISOCHRON_SOURCE_DIR "/docs/replay-log.md");
  EXPECT_THAT(text, HasSubstr("| 0 | frame start | cycle (varint), event number (varint) |\n" +
                              PayloadRows() + "\n"))
      << "run record_reference and put its rows there";
  EXPECT_THAT(text,
              HasSubstr("| `type` | further fields |\n|---|---|\n" + JsonRows() + "| `unknown` |"))
      << "run record_reference and put its rows there";
}

}  // namespace
}  // namespace isochron::replaylog
