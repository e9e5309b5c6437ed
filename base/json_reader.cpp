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
      // Only while looking for the token of a syntax error can there be anything else; it is a token of one
      // byte then.
      const bool word = std::isalnum(static_cast<unsigned char>(text[at_])) || text[at_] == '-';
      if (!word) ++at_;
      while (word && at_ < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[at_])) || text[at_] == '+' || text[at_] == '-' ||
              text[at_] == '.')) {
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

/// Objects and lists inside one another; the tree is walked and freed by recursion.
constexpr size_t deepest = 256;

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
    const Span span = token_at(position > 0 ? position - 1 : 0);
    // 406: a number beyond the range of double.
    const std::string what = exception.id == 406 ? "the number is out of range" : plain(exception.what());
    fail(error_at(span, "not JSON: " + what, hint_for(what, span)));
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
    if (stack_.size() <= deepest) return true;
    fail(error_at(stack_.back().value.span, "nested more than " + std::to_string(deepest) + " deep"));
    return false;
  }

  /// An error after which nothing more is read: the only one that counts.
  void fail(Error error) { errors.insert(errors.begin(), std::move(error)); }

  /// The parser counts the bytes it has read, so it names a token's last one; people look for its first.
  Span token_at(size_t offset) const {
    const size_t size = tokens_.source()->text.size();
    if (offset >= size) return {tokens_.source(), size, size};
    TokenScanner scanner(tokens_.source());
    for (Span token = scanner.next(); token.begin < token.end && token.begin <= offset;
         token = scanner.next()) {
      if (offset < token.end) return within_line(token);
    }
    return {tokens_.source(), offset, offset + 1};  // a comma or colon
  }

  /// An unclosed string ends where its line does.
  static Span within_line(Span token) {
    token.end = std::min(token.end, token.source->text.find_first_of("\r\n", token.begin));
    return token;
  }

  /// The parser's sentence without its own name, its position and the text it has read, which the caret
  /// shows.
  static std::string plain(std::string what) {
    if (const size_t at = what.find("syntax error"); at != std::string::npos) what = what.substr(at);
    const size_t read = what.find("; last read: '");
    if (read == std::string::npos) return what;
    const size_t rest = what.rfind("'; expected ");
    return what.substr(0, read) + (rest == std::string::npos || rest < read ? "" : what.substr(rest + 1));
  }

  static std::string hint_for(const std::string& what, const Span& span) {
    const std::string& text = span.source->text;
    if (what.find("unexpected '}'") == std::string::npos && what.find("unexpected ']'") == std::string::npos)
      return "";
    if (span.begin == 0) return "";
    const size_t before = text.find_last_not_of(" \t\r\n", span.begin - 1);
    return before != std::string::npos && text[before] == ',' ? "remove the comma before it" : "";
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

std::optional<Value> parse(std::string text, std::string file, ErrorList& errors) {
  auto source = std::make_shared<const Source>(Source{std::move(file), std::move(text)});
  Builder builder(source);
  const bool valid = nlohmann::json::sax_parse(source->text, &builder, nlohmann::json::input_format_t::json,
                                               /*strict=*/true, /*ignore_comments=*/true);
  if (!valid && builder.errors.empty()) builder.errors.push_back(error_at({source, 0, 1}, "not JSON"));
  if (!valid) {
    errors.push_back(builder.errors.front());
    return std::nullopt;
  }
  errors.insert(errors.end(), builder.errors.begin(), builder.errors.end());
  return std::move(builder.root);
}

Result<Value> parse(std::string text, std::string file) {
  ErrorList errors;
  std::optional<Value> value = parse(std::move(text), std::move(file), errors);
  if (!errors.empty()) return errors;
  return std::move(*value);
}

}  // namespace breakwire::json
