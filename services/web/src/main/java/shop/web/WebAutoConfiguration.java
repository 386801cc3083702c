package shop.web;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.restclient.RestClientCustomizer;
import org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Gives every service that has this library on its class path the answers to failures, and those that ask others the
 * answers to theirs. Before Spring's own, whose handler of failures then stays away.
 */
@AutoConfiguration(before = WebMvcAutoConfiguration.class)
public class WebAutoConfiguration {

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(RestClientCustomizer.class)
	static class WithCallees {

		@Bean
		CalleeFailures failures() {
			return new CalleeFailures();
		}

		@Bean
		SlowCalls slowCalls() {
			return new SlowCalls();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ConditionalOnMissingClass("org.springframework.boot.restclient.RestClientCustomizer")
	static class WithoutCallees {

		@Bean
		Failures failures() {
			return new Failures();
		}

	}

}
