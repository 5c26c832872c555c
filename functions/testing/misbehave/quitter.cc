// A pod that ends before it says HELLO: exit status 3.
int main() {
  return 3;
}
