// The table of records for those who cannot read record_table.h.

#ifndef ISOCHRON_REPLAYLOG_RECORD_REFERENCE_H_
#define ISOCHRON_REPLAYLOG_RECORD_REFERENCE_H_

#include <string>

namespace isochron::replaylog {

// python/isochron/records.py.
std::string PythonRecords();
// The rows of docs/replay-log.md that tell payloads, in lines.
std::string PayloadRows();
// Its rows that tell the fields of JSON lines.
std::string JsonRows();

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_RECORD_REFERENCE_H_
