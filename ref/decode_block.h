// Blocks from what is in memory.

#ifndef ISOCHRON_REF_DECODE_BLOCK_H_
#define ISOCHRON_REF_DECODE_BLOCK_H_

#include <cstdint>

#include "ref/operation.h"

namespace isochron::ref {

// Decodes the block that starts at `pa`, inside RAM whose bytes are at `code`; never beyond
// `limit` instructions, the page or kMaxBlockLength.
BlockPtr DecodeBlock(const uint8_t* code, uint64_t pa, DecodeMode mode, int limit);
// Decodes the one instruction at `pa` into `block`, which is empty or from here.
void DecodeOne(const uint8_t* code, uint64_t pa, DecodeMode mode, BlockPtr& block);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_DECODE_BLOCK_H_
