/* Where firmware puts things in physical memory. Read by C++ and by the assembler, so: macros and
   plain numbers only. Everything lies below FW_END; the HWRPB tells the OS to leave it alone. */

#ifndef ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_LAYOUT_H_
#define ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_LAYOUT_H_

/* PALcode image: PAL_BASE, a multiple of 32 KiB (21264/EV67 HRM, PAL_BASE IPR). */
#define FW_PAL_BASE 0x8000
#define FW_PAL_SIZE 0x8000

/* One page of PALcode data for each CPU (the "impure area"), four CPUs. */
#define FW_IMPURE_BASE 0x10000
#define FW_IMPURE_SIZE 0x2000
#define FW_MAX_CPUS 4

/* HWRPB with per-CPU slots, CTB, CRB, memory descriptors and DSR; mapped at FW_HWRPB_VA. */
#define FW_HWRPB_PA 0x20000
#define FW_HWRPB_SIZE 0x8000
#define FW_HWRPB_VA 0x10000000

/* Console callback code, mapped behind the HWRPB. */
#define FW_CONSOLE_PA 0x28000
#define FW_CONSOLE_SIZE 0x8000

/* Bootstrap page tables: level 1 (with its self-map at VPTB), 2 and 3. */
#define FW_PAGE_TABLES_PA 0x30000
#define FW_PAGE_TABLES_SIZE 0x10000
#define FW_VPTB_VA 0xfffffffe00000000

/* HWPCB and boot stack of each CPU. */
#define FW_HWPCB_PA 0x40000
#define FW_HWPCB_SIZE 0x80
#define FW_STACK_PA 0x48000
#define FW_STACK_SIZE 0x4000

/* What CPUs other than the primary run until they are started, when there are any. */
#define FW_SECONDARY_PA 0x60000
#define FW_SECONDARY_SIZE 0x2000

/* What the console maps for a boot program: 256 KiB, for kernel mode only. Nothing is loaded there,
   but kernels that call the console keep its stack and buffers in it (NetBSD). */
#define FW_BOOTSTRAP_PA 0x80000
#define FW_BOOTSTRAP_SIZE 0x40000
#define FW_BOOTSTRAP_VA 0x20000000

#define FW_END 0xc0000

/* With a console that has disks: what it reads and writes passes through this buffer. A bootstrap
   from a disk finds more of the memory above mapped, contiguous from FW_BOOTSTRAP_PA on, the stack
   of CPU 0 behind that and an unmapped page, and page tables where SRM has them. */
#define FW_CONSOLE_BUFFER_PA 0x44000
#define FW_CONSOLE_BUFFER_SIZE 0x4000
#define FW_PRIMARY_SIZE 0x180000
#define FW_PRIMARY_STACK_VA (FW_BOOTSTRAP_VA + FW_PRIMARY_SIZE + 0x2000)
#define FW_PRIMARY_VPTB_VA 0x200000000

/* Boot parameters: the loader writes them at the start of each CPU's impure page, PALcode's reset
   code reads them. Offsets in bytes, quadwords. */
#define FW_BOOT_PC 0x00    /* virtual address of the kernel's first instruction */
#define FW_BOOT_SP 0x08    /* kernel stack pointer */
#define FW_BOOT_PCBB 0x10  /* physical address of the HWPCB */
#define FW_BOOT_VPTB 0x18  /* virtual page table base */
#define FW_BOOT_WHAMI 0x20 /* number of the CPU */
#define FW_BOOT_HWRPB 0x28 /* physical address of the HWRPB */
#define FW_BOOT_FREE 0x30  /* R16 at entry: number of the first page behind the kernel */
#define FW_BOOT_PTB 0x38   /* R17 at entry: page number of the level 1 page table */
#define FW_BOOT_SIZE 0x80

/* What else the host reads of the impure page, which is all PALcode's own. Offsets in bytes,
   quadwords. */
#define FW_IMPURE_USP 0x80  /* the user's SP, in kernel mode */
#define FW_IMPURE_PCBB 0x98 /* physical address of the HWPCB */
#define FW_IMPURE_PTBR 0xa0 /* physical address of the level 1 page table */
#define FW_IMPURE_ENT 0xc0  /* six entry points of the operating system, in the order of wrent */
#define FW_IMPURE_ENT_SIZE 48

/* Of an HWPCB. */
#define FW_HWPCB_UNIQUE 0x20

/* The platform device: physical base and registers (quadwords); see docs/machine.md. It lies in the
   21272's reserved space above TIGbus. */
#define FW_PLATFORM_PA 0x80140000000
#define FW_PLATFORM_POWER 0x00 /* write: 1 power off, 2 reset, 3 fatal stop */
#define FW_PLATFORM_WAIT 0x08  /* write: stand still until an interrupt is deliverable under IER */
#define FW_PLATFORM_NAP 0x18   /* write, CPUs 1 to 3: the same, for so many cycles at most */
#define FW_PLATFORM_ENTROPY 0x10 /* read: next number of a generator seeded by --seed */

/* The console's own device (quadwords), where the console has disks or NVRAM; see docs/machine.md.
 */
#define FW_CONSOLE_DEVICE_PA 0x80140002000
#define FW_CONSOLE_DEVICE_UNIT 0x00    /* the disk that is meant */
#define FW_CONSOLE_DEVICE_BLOCK 0x08   /* the first block of 512 bytes */
#define FW_CONSOLE_DEVICE_COUNT 0x10   /* blocks */
#define FW_CONSOLE_DEVICE_ADDRESS 0x18 /* physical */
#define FW_CONSOLE_DEVICE_COMMAND 0x20 /* write: a command; read: a status */
#define FW_CONSOLE_DEVICE_BLOCKS 0x28  /* read: blocks of the unit, 0 where there is none */
#define FW_CONSOLE_DEVICE_NVRAM 0x30   /* read: 1 where there is one */
#define FW_CONSOLE_MAX_BLOCKS 32       /* of one command */
/* Commands and statuses. */
#define FW_CONSOLE_READ 1
#define FW_CONSOLE_WRITE 2
#define FW_CONSOLE_SAVE 3 /* the environment at ADDRESS into NVRAM */
#define FW_CONSOLE_DONE 0
#define FW_CONSOLE_BUSY 1
#define FW_CONSOLE_REFUSED 2

/* Where POWER_FATAL is the console's own: the halt code in the slot of the HWRPB. */
#define FW_HALT_NO_BOOTSTRAP 0x100

#endif /* ISOCHRON_MACHINE_FIRMWARE_FIRMWARE_LAYOUT_H_ */
