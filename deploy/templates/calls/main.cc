#include "my-function.h"

int main(int argc, char** argv) {
  return subito::serve(argc, argv, handle);
}
