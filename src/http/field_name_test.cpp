#include "http/field_name.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(FieldName, is_known_in_any_case) {
    EXPECT_EQ(to_field_name("host"), FieldName::host);
    EXPECT_EQ(to_field_name("HOST"), FieldName::host);
    EXPECT_EQ(to_field_name("Transfer-Encoding"), FieldName::transfer_encoding);
    EXPECT_EQ(to_field_name("cOnTeNt-LeNgTh"), FieldName::content_length);
    EXPECT_EQ(to_field_name("TE"), FieldName::te);
    EXPECT_EQ(to_field_name("Proxy-Authorization"), FieldName::proxy_authorization);
    EXPECT_EQ(to_field_name("X-Forwarded-For"), FieldName::x_forwarded_for);
}

TEST(FieldName, is_other_when_it_only_looks_alike) {
    for (const std::string_view name : {"",
                                        "hos",
                                        "hosts",

                                        "Content-Length ",
                                        "Transfer-Encodin\x07",
                                        "x",
                                        "X-Forwarded",
                                        "X-Hokusai",
                                        "a-name-longer-than-every-known-one"}) {
        EXPECT_EQ(to_field_name(name), FieldName::other) << name;
    }
}

TEST(FieldName, with_underscores_is_a_lookalike_of_a_known_one) {
    for (const std::string_view name : {"Content_Length", "transfer_encoding", "X_API-Key", "X_Forwarded_For"}) {
        EXPECT_EQ(to_field_name(name), FieldName::lookalike) << name;
    }
}

TEST(FieldName, of_a_family_is_known_by_its_beginning_with_either_dash) {
    EXPECT_EQ(to_field_name("X-Hokusai-User-Id"), FieldName::x_hokusai_any);
    EXPECT_EQ(to_field_name("x_hokusai_user_id"), FieldName::x_hokusai_any);
    EXPECT_EQ(to_field_name("X-Forwarded-Port"), FieldName::x_forwarded_any);
    EXPECT_EQ(to_field_name("X_Forwarded_Port"), FieldName::x_forwarded_any);
    EXPECT_EQ(to_field_name("X-Real-IP"), FieldName::x_forwarded_any);
    EXPECT_EQ(to_field_name("x-real_ip"), FieldName::x_forwarded_any);
    EXPECT_EQ(to_field_name("Access-Control-Allow-Origin"), FieldName::access_control_any);
}

}  // namespace
}  // namespace http
