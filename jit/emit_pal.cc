// CALL_PAL, the opcodes reserved for PALcode, and the miscellaneous instructions.

#include "jit/emitter.h"

namespace isochron::jit {

void Emitter::EmitReserved(const Site& site) { EmitGoldenEnd(site); }
void Emitter::EmitCallPal(const Site& site) { EmitGoldenEnd(site); }
void Emitter::EmitHwRet(const Site& site) { EmitGoldenEnd(site); }
void Emitter::EmitHwMfpr(const Site& site) { EmitGolden(site); }
void Emitter::EmitHwMtpr(const Site& site) { EmitGolden(site); }
void Emitter::EmitHwLd(const Site& site) { EmitGolden(site); }
void Emitter::EmitHwSt(const Site& site) { EmitGolden(site); }
void Emitter::EmitRpcc(const Site& site) { EmitGolden(site); }
void Emitter::EmitRc(const Site& site) { EmitGolden(site); }
void Emitter::EmitRs(const Site& site) { EmitGolden(site); }

// There are no caches and memory is coherent: barriers and hints cost time and do nothing.
void Emitter::EmitTrapb(const Site&) {}
void Emitter::EmitExcb(const Site&) {}
void Emitter::EmitMb(const Site&) {}
void Emitter::EmitWmb(const Site&) {}
void Emitter::EmitFetch(const Site&) {}
void Emitter::EmitFetchM(const Site&) {}
void Emitter::EmitEcb(const Site&) {}
void Emitter::EmitWh64(const Site&) {}
void Emitter::EmitWh64en(const Site&) {}

}  // namespace isochron::jit
