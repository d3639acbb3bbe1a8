import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

/** The application's own WebSocket, on the same server. */
@WebSocketGateway({ path: '/news' })
export class NewsGateway {
  @SubscribeMessage('ask')
  answer(): { event: string; data: string } {
    return { event: 'news', data: 'none' };
  }
}
