// Tree: a document as it was written, before it is known what it should be: mappings, lists and
// scalars with the line each began on. YAML and JSON both become one, so that a single decoder
// reads them. Built and thrown away within one call; holds no reference to its source.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deploy/manifest/fault.h"

namespace subito::manifest {

inline constexpr std::size_t kDepthMax = 32;        // a manifest needs 6
inline constexpr std::size_t kNodesMax = 50'000;    // in a file, all its documents together
inline constexpr std::size_t kDocumentsMax = 1000;  // in a file
inline constexpr std::size_t kInputBytesMax = 1 << 20;

struct Node {
  enum class Kind { kNull, kScalar, kMap, kList } kind = Kind::kNull;
  std::string text;    // scalars
  bool plain = false;  // scalars: written without quotes, so it may be a number or true
  int line = 0;        // from 1; 0: not known
  // Maps: keys[i] belongs to children[i]; in the order they were written, doubles included.
  std::vector<std::string> keys;
  std::vector<int> key_lines;
  std::vector<Node> children;
};

// "a mapping", "a list", "text", "nothing".
std::string_view to_string(Node::Kind kind);

// Takes what a parser tells in order and makes a Node of it. What exceeds a limit is left out and
// becomes a fault.
class TreeBuilder {
 public:
  TreeBuilder(std::string file, std::vector<Fault>& faults);

  void begin_map(int line) { begin(Node::Kind::kMap, line); }
  void begin_list(int line) { begin(Node::Kind::kList, line); }
  void end();
  void scalar(std::string_view text, bool plain, int line);
  void null(int line);
  void fault(int line, std::string message);
  // The finished document; the builder is ready for the next one.
  Node take();

 private:
  void begin(Node::Kind kind, int line);
  Node* add(Node::Kind kind, int line);
  bool wants_key() const;
  void add_key(std::string_view text, int line);

  std::string file_;
  std::vector<Fault>& faults_;
  Node root_;
  bool root_taken_ = false;
  std::vector<Node*> open_;   // from the root down; stable, only the last one grows
  std::size_t skipping_ = 0;  // containers being left out
  std::size_t nodes_ = 0;
  bool overflow_told_ = false;
};

// All documents of a YAML text, empty ones left out. Faults of the syntax are added to `faults`;
// nothing can be read behind the first of them. Never throws.
std::vector<Node> read_yaml(const std::string& file, std::string_view text,
                            std::vector<Fault>& faults);
// One JSON text (RFC 8259).
Node read_json(std::string_view text, std::vector<Fault>& faults);

}  // namespace subito::manifest
