package shop.orders;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.client.RestClient;

/** The ways to inventory and payments; their time-outs are in application.yaml. */
@Configuration(proxyBeanMethods = false)
class Callees {

	@Bean
	RestClient inventory(RestClient.Builder builder, @Value("${shop.inventory.url}") String url) {
		return builder.baseUrl(url).build();
	}

	@Bean
	RestClient payments(RestClient.Builder builder, @Value("${shop.payments.url}") String url) {
		return builder.baseUrl(url).build();
	}

}
