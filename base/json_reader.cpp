// The reader: nlohmann's SAX parser decides what is valid; a scanner that walks the same text in step gives
// each token its place, which the parser's callbacks do not tell.
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"

namespace breakwire::json {
namespace {

/// Walks over the tokens of text that the parser has accepted.
class TokenScanner {
 public:
  explicit TokenScanner(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  Span next() {
    const std::string& text = source_->text;
    skip();
    const size_t begin = at_;
    if (at_ >= text.size()) return {source_, begin, begin};
    if (text[at_] == '"') {
      for (++at_; at_ < text.size() && text[at_] != '"'; ++at_) {
        if (text[at_] == '\\') ++at_;
      }
      ++at_;
    } else if (std::string_view("{}[]").find(text[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      while (at_ < text.size() && (std::isalnum(static_cast<unsigned char>(text[at_])) || text[at_] == '+' ||
                                   text[at_] == '-' || text[at_] == '.')) {
        ++at_;
      }
    }
    return {source_, begin, std::min(at_, text.size())};
  }

  const std::shared_ptr<const Source>& source() const { return source_; }

 private:
  void skip() {
    const std::string& text = source_->text;
    if (at_ == 0 && text.starts_with("\xEF\xBB\xBF")) at_ = 3;
    for (; at_ < text.size(); ++at_) {
      const char c = text[at_];
      if (c == '/' && at_ + 1 < text.size() && text[at_ + 1] == '/') {
        at_ = std::min(text.find('\n', at_), text.size()) - 1;
      } else if (c == '/' && at_ + 1 < text.size() && text[at_ + 1] == '*') {
        at_ = std::min(text.find("*/", at_ + 2), text.size() - 2) + 1;
      } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ',' && c != ':') {
        return;
      }
    }
  }

  std::shared_ptr<const Source> source_;
  size_t at_ = 0;
};

/// Builds the tree from nlohmann's events.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::shared_ptr<const Source> source) : tokens_(std::move(source)) {}

  bool null() override { return add(make(Kind::null)); }
  bool boolean(bool value) override {
    Value v = make(Kind::boolean);
    v.boolean = value;
    return add(std::move(v));
  }
  bool number_integer(number_integer_t value) override { return add_number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add_number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add_number(value); }
  bool string(string_t& value) override {
    Value v = make(Kind::string);
    v.text = value;
    return add(std::move(v));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Kind::object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Kind::array); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const Span span = tokens_.next();
    Frame& frame = stack_.back();
    if (auto [first, fresh] = frame.keys.emplace(name, span); !fresh) {
      Error error = error_at(span, "duplicate key `" + name + "`", "remove one of the two");
      error.also.push_back(place_of(first->second));
      errors.push_back(std::move(error));
    }
    frame.key = name;
    frame.key_span = span;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& exception) override {
    std::string what = exception.what();
    if (size_t at = what.find("syntax error"); at != std::string::npos) {
      what = what.substr(at);
    } else if (size_t colon = what.find(": "); colon != std::string::npos) {
      what = what.substr(colon + 2);
    }
    const size_t at = position > 0 ? position - 1 : 0;
    errors.insert(errors.begin(), error_at({tokens_.source(), at, at + 1}, "not JSON: " + what));
    return false;
  }

  Value root;
  ErrorList errors;

 private:
  struct Frame {
    Value value;
    std::map<std::string, Span> keys;
    std::string key;
    Span key_span;
  };

  Value make(Kind kind) {
    Value value;
    value.kind = kind;
    value.span = tokens_.next();
    return value;
  }

  bool add_number(double number) {
    Value value = make(Kind::number);
    value.number = number;
    value.text = value.span.source->text.substr(value.span.begin, value.span.end - value.span.begin);
    return add(std::move(value));
  }

  bool add(Value value) {
    if (stack_.empty()) {
      root = std::move(value);
    } else if (Frame& frame = stack_.back(); frame.value.kind == Kind::object) {
      frame.value.members.push_back({frame.key, frame.key_span, std::move(value)});
    } else {
      frame.value.items.push_back(std::move(value));
    }
    return true;
  }

  bool open(Kind kind) {
    stack_.push_back({make(kind), {}, {}, {}});
    return true;
  }

  bool close() {
    Value value = std::move(stack_.back().value);
    stack_.pop_back();
    value.span.end = tokens_.next().end;
    return add(std::move(value));
  }

  TokenScanner tokens_;
  std::vector<Frame> stack_;
};

}  // namespace

Result<Value> parse(std::string text, std::string file) {
  auto source = std::make_shared<const Source>(Source{std::move(file), std::move(text)});
  Builder builder(source);
  const bool valid = nlohmann::json::sax_parse(source->text, &builder, nlohmann::json::input_format_t::json,
                                               /*strict=*/true, /*ignore_comments=*/true);
  if (!valid && builder.errors.empty()) builder.errors.push_back(error_at({source, 0, 1}, "not JSON"));
  if (!builder.errors.empty()) return valid ? builder.errors : ErrorList{builder.errors.front()};
  return std::move(builder.root);
}

}  // namespace breakwire::json
