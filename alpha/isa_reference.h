// The instruction reference, docs/isa.md, as generated from the tables.

#ifndef ISOCHRON_ALPHA_ISA_REFERENCE_H_
#define ISOCHRON_ALPHA_ISA_REFERENCE_H_

#include <string>

namespace isochron::alpha {

// The whole text of docs/isa.md (Markdown, ASCII). The file in the tree is this text; a test holds
// them equal, and the program isa_reference prints it.
std::string IsaReference();

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_ISA_REFERENCE_H_
