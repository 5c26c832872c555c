// A pod that never says HELLO and never ends by itself.
#include <unistd.h>

int main() {
  for (;;) ::pause();
}
