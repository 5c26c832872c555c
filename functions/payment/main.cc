#include "functions/payment/payment.h"

int main(int argc, char** argv) {
  return subito::serve(argc, argv, shop::payment_router());
}
