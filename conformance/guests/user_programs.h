/* Programs for user mode, see user_programs.S; each ends with callsys. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_USER_PROGRAMS_H_
#define ISOCHRON_CONFORMANCE_GUESTS_USER_PROGRAMS_H_

#define USER_PROGRAM(name) extern const char name[], name##_end[]
USER_PROGRAM(user_add);
USER_PROGRAM(user_two_calls);
USER_PROGRAM(user_unprivileged);
USER_PROGRAM(user_privileged);
USER_PROGRAM(user_clrfen);
USER_PROGRAM(user_touch);
USER_PROGRAM(user_jump);
USER_PROGRAM(user_wait);

/* Maps a program at a user VA. */
#define MAP_PROGRAM(pcb, va, name) vm_map_code(pcb, va, name, name##_end, PTE_V | PTE_KRE | PTE_URE)

#endif /* ISOCHRON_CONFORMANCE_GUESTS_USER_PROGRAMS_H_ */
