package shop.faults;

import java.util.List;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Leads each request of the shop through the faults. An interceptor, not a filter: what it throws is answered,
 * measured and logged like an exception of the controller, under the uri of the endpoint.
 */
class FaultInterceptor implements HandlerInterceptor {

	private final List<Fault> faults;

	FaultInterceptor(List<Fault> faults) {
		this.faults = faults;
	}

	@Override
	public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler) {
		this.faults.forEach(Fault::beforeRequest);
		return true;
	}

}
