#include "driver/http.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "testing/http_double.h"

namespace sluice::http {
namespace {

Request To(const HttpDouble& server, const std::string& path) {
  Request request;
  request.url = server.url() + path;
  request.silence_max = std::chrono::seconds(1);
  return request;
}

TEST(Http, ARequestArrivesAsItWasWritten) {
  DoubleRequest seen;
  HttpDouble server([&](const DoubleRequest& request) {
    seen = request;
    return DoubleReply{201, {{"X-Answer", " yes "}}, "body", Wire::kWhole};
  });
  Client client;
  Request request = To(server, "/a/../b//c?x=%20y&z");
  request.method = "PUT";
  request.headers = {{"x-one", "1"}, {"x-empty", ""}};
  request.body = "what is sent";
  const auto response = client.Send(request);
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/a/../b//c?x=%20y&z");
  EXPECT_EQ(seen.body, "what is sent");
  EXPECT_EQ(seen.Header("x-one"), "1");
  EXPECT_TRUE(seen.headers.contains("x-empty"));
  EXPECT_FALSE(seen.headers.contains("expect"));
  EXPECT_FALSE(seen.headers.contains("content-type"));
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "body");
  EXPECT_EQ(response->Find("x-answer"), "yes");
}

TEST(Http, EachMethodDoesWhatItSays) {
  std::vector<std::string> seen;
  HttpDouble server([&](const DoubleRequest& request) {
    seen.push_back(request.method + ":" + request.body);
    return DoubleReply{200, {}, "x", Wire::kWhole};
  });
  Client client;
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE", "GET"}) {
    Request request = To(server, "/");
    request.method = method;
    if (request.method[0] == 'P') request.body = "b";
    const auto response = client.Send(request);
    ASSERT_TRUE(response.ok()) << response.status().ToString();
    EXPECT_EQ(response->body, request.method == "HEAD" ? "" : "x") << method;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"GET:", "HEAD:", "PUT:b", "POST:b",
                                            "DELETE:", "GET:"}));
}

TEST(Http, RedirectsAndErrorsAreAnswers) {
  HttpDouble server([](const DoubleRequest& request) {
    const int status = request.path == "/moved" ? 301 : 503;
    return DoubleReply{status, {{"Location", "/elsewhere"}}, "why", Wire::kWhole};
  });
  Client client;
  EXPECT_EQ(client.Send(To(server, "/moved"))->status, 301);
  EXPECT_EQ(client.Send(To(server, "/busy"))->body, "why");
}

TEST(Http, ALargerAnswerThanWantedIsRefused) {
  HttpDouble server([](const DoubleRequest&) {
    return DoubleReply{200, {}, std::string(1000, 'x'), Wire::kWhole};
  });
  Client client;
  Request request = To(server, "/");
  request.response_max = 1000;
  EXPECT_EQ(client.Send(request)->size, 1000);
  request.response_max = 999;
  EXPECT_EQ(IdOf(client.Send(request).status()), "http.too-large");
}

TEST(Http, ABodyGoesWhereItIsWantedAndAnErrorDoesNot) {
  HttpDouble server([](const DoubleRequest& request) {
    return DoubleReply{request.path == "/ok" ? 206 : 412, {}, "1234", Wire::kWhole};
  });
  Client client;
  char bytes[5] = "....";
  Request request = To(server, "/refused");
  request.into = bytes;
  request.response_max = 4;
  EXPECT_EQ(client.Send(request)->body, "1234");
  EXPECT_STREQ(bytes, "....");
  request.url = server.url() + "/ok";
  EXPECT_EQ(client.Send(request)->size, 4);
  EXPECT_STREQ(bytes, "1234");
}

TEST(Http, NobodyThereIsNotTheSameAsNoAnswer) {
  Client client;
  Request nobody;
  nobody.url = "http://127.0.0.1:1/";
  const Status refused = client.Send(nobody).status();
  EXPECT_EQ(IdOf(refused), "http.unreachable") << refused.ToString();
  EXPECT_EQ(KindOf(refused), ErrorKind::kTransient);

  for (const Wire wire : {Wire::kCutHead, Wire::kCutBody, Wire::kHang}) {
    HttpDouble server([wire](const DoubleRequest&) {
      return DoubleReply{200, {}, "12345678", wire};
    });
    Request request = To(server, "/");
    request.method = "PUT";
    request.body = "b";
    const Status cut = client.Send(request).status();
    EXPECT_EQ(IdOf(cut), "http.interrupted") << cut.ToString();
    EXPECT_EQ(KindOf(cut), ErrorKind::kTransient);
  }
}

TEST(Http, WhatIsNoHttpIsRefused) {
  Client client;
  Request request;
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "http://"}) {
    request.url = url;
    EXPECT_EQ(IdOf(client.Send(request).status()), "http.bad-url") << url;
  }
}

TEST(Http, ARequestCanBeCancelled) {
  std::atomic<bool> cancelled = false;
  HttpDouble server([&](const DoubleRequest&) {
    cancelled = true;
    return DoubleReply{200, {}, "", Wire::kHang};
  });
  Client client;
  Request request = To(server, "/");
  request.silence_max = std::chrono::seconds(60);
  request.cancelled = &cancelled;
  const Status cancelled_by_us = client.Send(request).status();
  EXPECT_EQ(KindOf(cancelled_by_us), ErrorKind::kCancelled);
  EXPECT_EQ(IdOf(cancelled_by_us), "http.cancelled");
}

TEST(Http, ManyThreadsShareOneClient) {
  HttpDouble server([](const DoubleRequest& request) {
    return DoubleReply{200, {}, request.body, Wire::kWhole};
  });
  Client client;
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        Request request = To(server, "/");
        request.method = "POST";
        const std::string body(static_cast<size_t>(i * 1000 + round), 'x');
        request.body = body;
        const auto response = client.Send(request);
        if (response.ok() && response->body == body) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

}  // namespace
}  // namespace sluice::http
