// The qualifiers of floating-point operates: which combinations exist and how they are coded.

#ifndef ISOCHRON_ALPHA_QUALIFIERS_H_
#define ISOCHRON_ALPHA_QUALIFIERS_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace isochron::alpha {

// The combinations of qualifiers of a floating-point operate (Handbook 4.7.8, appendix C).
enum class QualifierSet : uint8_t {
  kNone,             // no qualifiers; the function code is matched whole
  kCvtst,            // none, /S
  kCvtql,            // none, /V, /SV
  kVaxArithmetic,    // [none, /U, /S, /SU] x [normal, /C]
  kVaxCompare,       // none, /S
  kVaxToInteger,     // [none, /V, /S, /SV] x [normal, /C]
  kVaxFromInteger,   // normal, /C
  kIeeeArithmetic,   // [none, /U, /SU, /SUI] x [normal, /C, /M, /D]
  kIeeeCompare,      // none, /SU
  kIeeeToInteger,    // [none, /V, /SV, /SVI] x [normal, /C, /M, /D]
  kIeeeFromInteger,  // [none, /SUI] x [normal, /C, /M, /D]
};

// One member of a QualifierSet.
struct QualifierVariant {
  uint8_t code;             // bits <15:11> of the instruction: trapping <15:13>, rounding <12:11>
  std::string_view suffix;  // as in the mnemonic, "/suic"; empty for no qualifiers
};

namespace variants {

// Codes: trapping mode << 2 | rounding mode. Rounding: 0 chopped, 1 minus infinity, 2 normal,
// 3 dynamic. Trapping: 0 none, 1 /U or /V, 4 /S (VAX), 5 /SU or /SV, 7 /SUI or /SVI.
inline constexpr QualifierVariant kPlain[] = {{0x00, ""}};
inline constexpr QualifierVariant kCvtst[] = {{0x0A, ""}, {0x1A, "/s"}};
inline constexpr QualifierVariant kCvtql[] = {{0x00, ""}, {0x04, "/v"}, {0x14, "/sv"}};
inline constexpr QualifierVariant kVaxArithmetic[] = {{0x02, ""},    {0x00, "/c"},  {0x06, "/u"},
                                                      {0x04, "/uc"}, {0x12, "/s"},  {0x10, "/sc"},
                                                      {0x16, "/su"}, {0x14, "/suc"}};
inline constexpr QualifierVariant kVaxCompare[] = {{0x02, ""}, {0x12, "/s"}};
inline constexpr QualifierVariant kVaxToInteger[] = {{0x02, ""},    {0x00, "/c"},  {0x06, "/v"},
                                                     {0x04, "/vc"}, {0x12, "/s"},  {0x10, "/sc"},
                                                     {0x16, "/sv"}, {0x14, "/svc"}};
inline constexpr QualifierVariant kVaxFromInteger[] = {{0x02, ""}, {0x00, "/c"}};
inline constexpr QualifierVariant kIeeeArithmetic[] = {
    {0x02, ""},     {0x00, "/c"},    {0x01, "/m"},    {0x03, "/d"},
    {0x06, "/u"},   {0x04, "/uc"},   {0x05, "/um"},   {0x07, "/ud"},
    {0x16, "/su"},  {0x14, "/suc"},  {0x15, "/sum"},  {0x17, "/sud"},
    {0x1E, "/sui"}, {0x1C, "/suic"}, {0x1D, "/suim"}, {0x1F, "/suid"}};
inline constexpr QualifierVariant kIeeeCompare[] = {{0x02, ""}, {0x16, "/su"}};
inline constexpr QualifierVariant kIeeeToInteger[] = {
    {0x02, ""},     {0x00, "/c"},    {0x01, "/m"},    {0x03, "/d"},
    {0x06, "/v"},   {0x04, "/vc"},   {0x05, "/vm"},   {0x07, "/vd"},
    {0x16, "/sv"},  {0x14, "/svc"},  {0x15, "/svm"},  {0x17, "/svd"},
    {0x1E, "/svi"}, {0x1C, "/svic"}, {0x1D, "/svim"}, {0x1F, "/svid"}};
inline constexpr QualifierVariant kIeeeFromInteger[] = {
    {0x02, ""},     {0x00, "/c"},    {0x01, "/m"},    {0x03, "/d"},
    {0x1E, "/sui"}, {0x1C, "/suic"}, {0x1D, "/suim"}, {0x1F, "/suid"}};

}  // namespace variants

// The members of a set, the plain form first; one member with an empty suffix for kNone, whose
// code means nothing. Throughout, /V shares a bit with /U: FpQualifiers::underflow stands for both.
constexpr std::span<const QualifierVariant> VariantsOf(QualifierSet set) {
  switch (set) {
    case QualifierSet::kNone: return variants::kPlain;
    case QualifierSet::kCvtst: return variants::kCvtst;
    case QualifierSet::kCvtql: return variants::kCvtql;
    case QualifierSet::kVaxArithmetic: return variants::kVaxArithmetic;
    case QualifierSet::kVaxCompare: return variants::kVaxCompare;
    case QualifierSet::kVaxToInteger: return variants::kVaxToInteger;
    case QualifierSet::kVaxFromInteger: return variants::kVaxFromInteger;
    case QualifierSet::kIeeeArithmetic: return variants::kIeeeArithmetic;
    case QualifierSet::kIeeeCompare: return variants::kIeeeCompare;
    case QualifierSet::kIeeeToInteger: return variants::kIeeeToInteger;
    case QualifierSet::kIeeeFromInteger: return variants::kIeeeFromInteger;
  }
  return variants::kPlain;
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_QUALIFIERS_H_
