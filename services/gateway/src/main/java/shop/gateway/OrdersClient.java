package shop.gateway;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.client.RestClient;

/** The way to orders; its time-outs are in application.yaml. */
@Configuration(proxyBeanMethods = false)
class OrdersClient {

	@Bean
	RestClient orders(RestClient.Builder builder, @Value("${shop.orders.url}") String url) {
		return builder.baseUrl(url).build();
	}

}
