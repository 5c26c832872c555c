/* The mark by which a node knows a binary that speaks the pod protocol: an ELF note in a section of
 * its own. Put SUBITO_ELF_NOTE(1); once, at file scope, in a source file that is linked in any
 * case. For C and C++; depends on nothing. docs/pod-protocol.md says the same in words. */
#pragma once

#define SUBITO_ELF_NOTE_OWNER "Subito" /* 7 bytes with its NUL, padded to 8 */
#define SUBITO_ELF_NOTE_TYPE 1         /* the four bytes of the description: protocol version */

/* Linkers keep notes when they drop unused sections; `used` keeps it through the compiler. */
#define SUBITO_ELF_NOTE(protocol_version)                                          \
  __attribute__((used, aligned(4), section(".note.subito"))) static const struct { \
    unsigned int name_size, description_size, type;                                \
    char name[8];                                                                  \
    unsigned int version;                                                          \
  } subito_elf_note = {7, 4, SUBITO_ELF_NOTE_TYPE, SUBITO_ELF_NOTE_OWNER, protocol_version}
