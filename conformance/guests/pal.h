/* OSF/1 PALcode from C and assembly: function codes, the codes that entry points receive, and one
   inline function for each CALL_PAL that a kernel makes.  Alpha Architecture Reference Manual,
   OSF/1 volume (II-B). */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_PAL_H_
#define ISOCHRON_CONFORMANCE_GUESTS_PAL_H_

#define PAL_HALT 0x00
#define PAL_CFLUSH 0x01
#define PAL_DRAINA 0x02
#define PAL_CSERVE 0x09
#define PAL_SWPPAL 0x0a
#define PAL_WRIPIR 0x0d
#define PAL_RDMCES 0x10
#define PAL_WRMCES 0x11
#define PAL_WRFEN 0x2b
#define PAL_WRVPTPTR 0x2d
#define PAL_SWPCTX 0x30
#define PAL_WRVAL 0x31
#define PAL_RDVAL 0x32
#define PAL_TBI 0x33
#define PAL_WRENT 0x34
#define PAL_SWPIPL 0x35
#define PAL_RDPS 0x36
#define PAL_WRKGP 0x37
#define PAL_WRUSP 0x38
#define PAL_WRPERFMON 0x39
#define PAL_RDUSP 0x3a
#define PAL_WHAMI 0x3c
#define PAL_RETSYS 0x3d
#define PAL_WTINT 0x3e
#define PAL_RTI 0x3f
#define PAL_BPT 0x80
#define PAL_BUGCHK 0x81
#define PAL_CALLSYS 0x83
#define PAL_IMB 0x86
#define PAL_URTI 0x92
#define PAL_RDUNIQUE 0x9e
#define PAL_WRUNIQUE 0x9f
#define PAL_GENTRAP 0xaa
#define PAL_CLRFEN 0xae

/* Entry selectors of wrent; also the kind of a recorded trap. */
#define ENT_INT 0
#define ENT_ARITH 1
#define ENT_MM 2
#define ENT_IF 3
#define ENT_UNA 4
#define ENT_SYS 5

/* entIF a0. */
#define IF_BPT 0
#define IF_BUGCHK 1
#define IF_GENTRAP 2
#define IF_FEN 3
#define IF_OPDEC 4

/* entMM a1 and a2. */
#define MM_TNV 0
#define MM_ACV 1
#define MM_FOR 2
#define MM_FOE 3
#define MM_FOW 4
#define MM_FETCH (-1L)
#define MM_LOAD 0
#define MM_STORE 1

/* entInt a0. */
#define INT_IPI 0
#define INT_CLOCK 1
#define INT_MCHK 2
#define INT_DEVICE 3
#define INT_PERF 4

/* tbi a0. */
#define TBIA (-2L)
#define TBIAP (-1L)
#define TBISI 1
#define TBISD 2
#define TBIS 3

/* PS<3> is the mode, PS<2:0> the IPL. */
#define PS_USER 8

#ifndef __ASSEMBLER__

#define PAL_CLOBBERS "$1", "$22", "$23", "$24", "$25", "memory"
#define PAL_STRING_(x) #x
#define PAL_STRING(x) PAL_STRING_(x)

#define PAL_CALL_NONE(name, code)                                      \
  static inline void name(void) {                                      \
    __asm__ volatile("call_pal " PAL_STRING(code) : : : PAL_CLOBBERS); \
  }
#define PAL_CALL_READ(name, code)                                               \
  static inline unsigned long name(void) {                                      \
    register unsigned long v0 __asm__("$0");                                    \
    __asm__ volatile("call_pal " PAL_STRING(code) : "=r"(v0) : : PAL_CLOBBERS); \
    return v0;                                                                  \
  }
#define PAL_CALL_WRITE(name, code)                                              \
  static inline void name(unsigned long value) {                                \
    register unsigned long a0 __asm__("$16") = value;                           \
    __asm__ volatile("call_pal " PAL_STRING(code) : "+r"(a0) : : PAL_CLOBBERS); \
  }
#define PAL_CALL_SWAP(name, code)                                                         \
  static inline unsigned long name(unsigned long value) {                                 \
    register unsigned long a0 __asm__("$16") = value;                                     \
    register unsigned long v0 __asm__("$0");                                              \
    __asm__ volatile("call_pal " PAL_STRING(code) : "=r"(v0), "+r"(a0) : : PAL_CLOBBERS); \
    return v0;                                                                            \
  }
#define PAL_CALL_WRITE2(name, code)                                                       \
  static inline void name(unsigned long first, unsigned long second) {                    \
    register unsigned long a0 __asm__("$16") = first;                                     \
    register unsigned long a1 __asm__("$17") = second;                                    \
    __asm__ volatile("call_pal " PAL_STRING(code) : "+r"(a0), "+r"(a1) : : PAL_CLOBBERS); \
  }

PAL_CALL_NONE(pal_halt, PAL_HALT)
PAL_CALL_WRITE(pal_cflush, PAL_CFLUSH)
PAL_CALL_NONE(pal_draina, PAL_DRAINA)
PAL_CALL_READ(pal_rdmces, PAL_RDMCES)
PAL_CALL_WRITE(pal_wrmces, PAL_WRMCES)
PAL_CALL_WRITE(pal_wrfen, PAL_WRFEN)
PAL_CALL_WRITE(pal_wrvptptr, PAL_WRVPTPTR)
PAL_CALL_SWAP(pal_swpctx, PAL_SWPCTX)
PAL_CALL_WRITE(pal_wrval, PAL_WRVAL)
PAL_CALL_READ(pal_rdval, PAL_RDVAL)
PAL_CALL_WRITE2(pal_tbi, PAL_TBI)
PAL_CALL_WRITE2(pal_wrent, PAL_WRENT)
PAL_CALL_SWAP(pal_swpipl, PAL_SWPIPL)
PAL_CALL_READ(pal_rdps, PAL_RDPS)
PAL_CALL_WRITE(pal_wrkgp, PAL_WRKGP)
PAL_CALL_WRITE(pal_wrusp, PAL_WRUSP)
PAL_CALL_READ(pal_rdusp, PAL_RDUSP)
PAL_CALL_READ(pal_whami, PAL_WHAMI)
PAL_CALL_SWAP(pal_wtint, PAL_WTINT)
PAL_CALL_NONE(pal_imb, PAL_IMB)
PAL_CALL_READ(pal_rdunique, PAL_RDUNIQUE)
PAL_CALL_WRITE(pal_wrunique, PAL_WRUNIQUE)
PAL_CALL_NONE(pal_bpt, PAL_BPT)
PAL_CALL_NONE(pal_bugchk, PAL_BUGCHK)
PAL_CALL_WRITE(pal_gentrap, PAL_GENTRAP)
PAL_CALL_NONE(pal_clrfen, PAL_CLRFEN)

#endif /* __ASSEMBLER__ */
#endif /* ISOCHRON_CONFORMANCE_GUESTS_PAL_H_ */
