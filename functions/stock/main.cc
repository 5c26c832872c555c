#include "functions/stock/stock.h"

int main(int argc, char** argv) {
  return subito::serve(argc, argv, shop::stock_router());
}
