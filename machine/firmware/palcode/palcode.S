/* OSF/1 PALcode of the Isochron machine (21264/EV67 on a 21272 board).

   One assembly: subsection 0 holds the entry points at the offsets that the hardware knows, with
   an .org before each, so that code that outgrows its slot does not assemble; subsection 1 holds
   everything else, behind them. */

#include "pal_defs.inc"

        .text   0
        .globl  pal_start
pal_start:

#include "entries.S"
#include "callpal_privileged.S"
#include "callpal_user.S"

        .text   0
        .org    0x4000

#include "memory.S"
#include "exceptions.S"
#include "interrupts.S"
#include "machine_check.S"
#include "halt.S"
#include "reset.S"
