#include "functions/shopfront/shopfront.h"

int main(int argc, char** argv) {
  return subito::serve(argc, argv, shop::shopfront_router());
}
