/* The smallest binary that ElfCheck accepts; linked statically and dynamically, with the note and
 * without. Never run. */
#include "runtime/protocol/elf_note.h"

#ifdef WITH_NOTE
SUBITO_ELF_NOTE(WITH_NOTE);
#endif

int main(void) {
  return 0;
}
