#include "functions/checkout/checkout.h"

int main(int argc, char** argv) {
  return subito::serve(argc, argv, shop::checkout_router());
}
