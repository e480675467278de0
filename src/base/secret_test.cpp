#include "base/secret.hpp"

#include <ostream>
#include <string>
#include <type_traits>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace base {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

// What would let a secret slip into a log line, a metric label or an error message.
static_assert(!Streamable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);
// The checks above can tell.
static_assert(Streamable<std::string> && fmt::is_formattable<std::string>::value);

TEST(Secret, reveals_its_text_only_when_asked) {
    const Secret secret("hunter2");
    EXPECT_EQ(secret.reveal(), "hunter2");
    EXPECT_FALSE(secret.is_empty());
}

TEST(Secret, is_empty_until_it_is_given_a_text) {
    EXPECT_TRUE(Secret().is_empty());
    EXPECT_TRUE(Secret("").is_empty());
    EXPECT_EQ(Secret().reveal(), "");
}

}  // namespace
}  // namespace base
