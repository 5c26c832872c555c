#include "deploy/manifest/tree.h"

#include <utility>

#include "runtime/base/check.h"

namespace subito::manifest {

std::string_view to_string(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "text";
    case Node::Kind::kMap:
      return "a mapping";
    case Node::Kind::kList:
      return "a list";
  }
  return "unknown";
}

TreeBuilder::TreeBuilder(std::string file, std::vector<Fault>& faults)
    : file_(std::move(file)), faults_(faults) {}

void TreeBuilder::fault(int line, std::string message) {
  faults_.push_back(Fault{file_, line, "", std::move(message)});
}

// True between the pairs of an open map: what comes next is a key.
bool TreeBuilder::wants_key() const {
  if (open_.empty() || open_.back()->kind != Node::Kind::kMap) return false;
  return open_.back()->keys.size() == open_.back()->children.size();
}

void TreeBuilder::add_key(std::string_view text, int line) {
  open_.back()->keys.emplace_back(text);
  open_.back()->key_lines.push_back(line);
}

Node* TreeBuilder::add(Node::Kind kind, int line) {
  if (++nodes_ > kNodesMax) {
    if (!std::exchange(overflow_told_, true))
      fault(line, "has more than " + std::to_string(kNodesMax) + " values");
    kind = Node::Kind::kNull;
  }
  Node* node = &root_;
  if (open_.empty()) {
    CHECK(!std::exchange(root_taken_, true));
  } else if (nodes_ > kNodesMax && open_.back()->kind == Node::Kind::kList) {
    return nullptr;
  } else {
    node = &open_.back()->children.emplace_back();
  }
  node->kind = kind;
  node->line = line;
  return nodes_ > kNodesMax ? nullptr : node;
}

void TreeBuilder::begin(Node::Kind kind, int line) {
  if (skipping_ > 0) {
    ++skipping_;
    return;
  }
  if (wants_key()) {
    fault(line, "has a key that is not text");
    add_key("", line);
    skipping_ = 1;
    return;
  }
  if (open_.size() == kDepthMax) {
    fault(line, "is nested deeper than " + std::to_string(kDepthMax) + " levels");
    kind = Node::Kind::kNull;
  }
  Node* node = add(kind, line);
  if (node != nullptr && kind != Node::Kind::kNull)
    open_.push_back(node);
  else
    skipping_ = 1;
}

void TreeBuilder::end() {
  if (skipping_ > 0) {
    --skipping_;
    return;
  }
  CHECK(!open_.empty());
  open_.pop_back();
}

void TreeBuilder::scalar(std::string_view text, bool plain, int line) {
  if (skipping_ > 0) return;
  if (wants_key()) return add_key(text, line);
  if (Node* node = add(Node::Kind::kScalar, line)) {
    node->text = text;
    node->plain = plain;
  }
}

void TreeBuilder::null(int line) {
  if (skipping_ > 0) return;
  if (wants_key()) return add_key("", line);
  add(Node::Kind::kNull, line);
}

Node TreeBuilder::take() {
  open_.clear();
  skipping_ = 0;
  root_taken_ = false;
  return std::exchange(root_, Node{});
}

}  // namespace subito::manifest
