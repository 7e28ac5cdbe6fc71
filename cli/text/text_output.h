// Text on standard output.

#ifndef ISOCHRON_CLI_TEXT_TEXT_OUTPUT_H_
#define ISOCHRON_CLI_TEXT_TEXT_OUTPUT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace isochron::cli {

// The columns of the terminal that standard output is, at least 80; 80 when it is none.
size_t OutputColumns();

// Writes lines to standard output, many at a time.
class TextOutput {
 public:
  // Writes a line, made printable (hostio/printable.h); a newline is added.
  void Line(std::string_view line);
  // Writes several lines that end in "\n". What is put into them must be printable on one line
  // already.
  void Lines(std::string_view lines);

  // Writes what there is: somebody may be waiting for it.
  void Flush();
  // Whether writing is of no use any more.
  bool failed() const { return error_ != 0; }
  // Writes what is left. Returns `exit_code`, or what stands for the failure: of a pipe that nobody
  // reads, as `head` leaves it, without a word; otherwise with a line on standard error.
  int Finish(int exit_code);

 private:
  std::string buffer_;
  int error_ = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_TEXT_TEXT_OUTPUT_H_
