#include "health/json_text.hpp"

#include <limits>

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

namespace health {

TEST(JsonText, prints_doubles_as_decimals_that_stay_doubles) {
    EXPECT_EQ(to_text(12.0), "12.0");
    EXPECT_EQ(to_text(0.0), "0.0");
    EXPECT_EQ(to_text(0.25), "0.25");
    EXPECT_EQ(to_text(1'755'172'800.123456), "1755172800.123456");
    EXPECT_EQ(to_text(1'755'172'800.0), "1755172800.0");
}

TEST(JsonText, prints_what_is_not_a_number_as_null) {
    EXPECT_EQ(to_text(std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(to_text(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonText, keeps_order_and_escapes) {
    const boost::json::object object{{"b", 1}, {"a", "x\"\n"}, {"none", nullptr}, {"list", {true, 2.5, "s"}}};
    EXPECT_EQ(to_text(object), R"({"b":1,"a":"x\"\n","none":null,"list":[true,2.5,"s"]})");
    EXPECT_EQ(to_text(boost::json::object{}), "{}");
    EXPECT_EQ(to_text(boost::json::array{}), "[]");
}

}  // namespace health
