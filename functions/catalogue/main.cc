#include "functions/catalogue/catalogue.h"

int main(int argc, char** argv) {
  return subito::serve(argc, argv, shop::catalogue_router());
}
